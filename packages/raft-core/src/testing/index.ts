// First: what follows does not run on an old Node.
import "../require-node.ts";

export type { TestFunctions } from "./conformance/declare-cases.ts";
// Proof that a store of state is one.
export { stateStoreConformance } from "./conformance/state-store-conformance.ts";
export type { StateStoreSubject } from "./conformance/state-store-subject.ts";
// Proof that a storage is one.
export { storageConformance } from "./conformance/storage-conformance.ts";
export type { StorageSubject } from "./conformance/storage-subject.ts";
// Proof that a transport is one.
export { transportConformance } from "./conformance/transport-conformance.ts";
export { fixedContent, snapshotAnnouncement } from "./conformance/transport-snapshot-cases.ts";
export {
  numbered,
  RecordingReceiver,
  sendUntilReceived,
  type TransportSubject,
} from "./conformance/transport-subject.ts";
// Damage for parsers of bytes from elsewhere.
export { damaged, EDIT_KINDS, type Edit } from "./damage.ts";
// Scripts of directives and expected output; what runs them on the core's parts and on whole groups.
export { type Argument, ScriptError } from "./datadriven/arguments.ts";
export { confChangeScript } from "./datadriven/confchange-script.ts";
export { quorumScript } from "./datadriven/quorum-script.ts";
export { type Mismatch, runScript, type ScriptOutcome, type ScriptRunner } from "./datadriven/run-script.ts";
export { type Directive, parseScript } from "./datadriven/script.ts";
export { InteractionEnvironment, interactionScript } from "./interaction/environment.ts";
export { describeEntry, describeMessage, describeReady, describeSnapshot } from "./interaction/format.ts";
export type { InteractionOptions } from "./interaction/interaction-group.ts";
