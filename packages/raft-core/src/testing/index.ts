// Entry for tests. The first import refuses a Node that is too old to run the rest.
import "../require-node.ts";

// Conformance suite of stores of blobs.
export { type BlobStoreSubject, blobStoreConformance } from "./conformance/blob-store-conformance.ts";
export type { TestFunctions } from "./conformance/declare-cases.ts";
// Conformance suite of state stores.
export { stateStoreConformance } from "./conformance/state-store-conformance.ts";
export type { StateStoreSubject } from "./conformance/state-store-subject.ts";
// Conformance suite of storages.
export { storageConformance } from "./conformance/storage-conformance.ts";
export type { StorageSubject } from "./conformance/storage-subject.ts";
// Conformance suite of transports.
export { transportConformance } from "./conformance/transport-conformance.ts";
export { fixedContent, snapshotAnnouncement } from "./conformance/transport-snapshot-cases.ts";
export {
  numbered,
  RecordingReceiver,
  sendUntilReceived,
  type TransportSubject,
} from "./conformance/transport-subject.ts";
// Damage to bytes, for tests of parsers.
export { damaged, EDIT_KINDS, type Edit } from "./damage.ts";
// Scripts of directives and expected output, and runners for the core's parts and for whole groups.
export { type Argument, ScriptError } from "./datadriven/arguments.ts";
export { confChangeScript } from "./datadriven/confchange-script.ts";
export { quorumScript } from "./datadriven/quorum-script.ts";
export { type Mismatch, runScript, type ScriptOutcome, type ScriptRunner } from "./datadriven/run-script.ts";
export { type Directive, parseScript } from "./datadriven/script.ts";
export { InteractionEnvironment, interactionScript } from "./interaction/environment.ts";
export { describeEntry, describeMessage, describeReady, describeSnapshot } from "./interaction/format.ts";
export type { InteractionOptions } from "./interaction/interaction-group.ts";
