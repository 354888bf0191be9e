/**
 * The codec of raft-rs's wire format (`proto/eraftpb`), written by hand because it is on the path of every message.
 *
 * Role: the only place that turns the core's types into bytes and back. It knows nothing of connections or files.
 *
 * Invariants:
 * E1. Decoding encoded bytes gives an equal value. The bytes equal those of code that protoc generates.
 * E2. Any bytes decode to a value or throw RaftError CODEC_INVALID. Fields of later versions are skipped.
 * E3. Decoded byte fields are views of the given bytes, which must not change while the views are in use.
 */
export { decodeConfChange, decodeConfChangeV2, encodeConfChange, encodeConfChangeV2 } from "./conf-change.ts";
export { decodeConfState, encodeConfState } from "./conf-state.ts";
export { decodeEntry, encodedEntrySize, encodeEntry, writeEntry } from "./entry.ts";
export { decodeHardState, encodeHardState } from "./hard-state.ts";
export { decodeMessage, decodePeerMessage, encodeMessage, messageSize, writeMessage } from "./message.ts";
export { decodeSnapshot, decodeSnapshotMetadata, encodeSnapshot, encodeSnapshotMetadata } from "./snapshot.ts";
