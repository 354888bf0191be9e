// Entry for programs that run consensus without the driver: the pure core, its inputs and its outputs.
//
// The first import refuses a Node that is too old to run the rest.
import "./require-node.ts";

export type { Config, ReadOnlyOption } from "./config.ts";
export { checkConfChange, readConfChange } from "./driver/membership/conf-change.ts";
export { encodeConfChange, encodeConfChangeV2 } from "./eraftpb/conf-change.ts";
export {
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type LocalMessageType,
  type Message,
  type MessageType,
  message,
  type PeerMessageType,
} from "./message.ts";
export type { LogStorage, Missing } from "./ports/storage.ts";
export type { DropReason, Outcome, ProposeOutcome, RefusalReason, StepOutcome } from "./raft/outcome.ts";
export type { ReadState } from "./raft/read-index.ts";
export { type Proposal, RawNode } from "./raw-node.ts";
export type { Ready } from "./ready.ts";
export type { BasicStatus, Status } from "./status.ts";
export type {
  ConfChange,
  ConfChangeSingle,
  ConfChangeTransition,
  ConfChangeType,
  ConfChangeV2,
  Entry,
  EntryType,
  HardState,
  Snapshot,
  SoftState,
} from "./types.ts";
