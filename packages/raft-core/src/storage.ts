// Entry for authors of a storage or of a state store, and for tools that repair the storage of a stopped node.
//
// The first import refuses a Node that is too old to run the rest.
import "./require-node.ts";

export { type QuorumRecovery, type QuorumRecoveryOptions, recoverQuorum } from "./driver/offline/recover-quorum.ts";
export { replayLog } from "./driver/offline/replay-log.ts";
export { checkEntries } from "./log/check-entries.ts";
export { countWithin, entrySize } from "./log/entry-size.ts";
export { joinedCrc32 } from "./ports/snapshot-crc.ts";
export type { FixedContent, SnapshotStream } from "./ports/snapshot-stream.ts";
export type { GroupStorage, LogStorage, Missing, SnapshotSink, WriteBatch } from "./ports/storage.ts";
export { type RecordLayer, RecordLayers } from "./records/record-layers.ts";
export { RecordView } from "./records/record-view.ts";
export type {
  Entry,
  EntryType,
  HardState,
  Snapshot,
} from "./types.ts";
