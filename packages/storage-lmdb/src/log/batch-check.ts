/**
 * What a batch must satisfy before any of it is applied: a batch that breaks the log's shape is a bug above the
 * storage.
 */
import { invariant, type SnapshotMetadata } from "@raftoral/raft-core";
import { checkEntries, type Entry, type WriteBatch } from "@raftoral/raft-core/storage";
import type { GroupState } from "../format/records.ts";

/** Throws InvariantViolation. `isSpooled` says whether a snapshot's content is complete on disk. */
export function checkBatch(
  batch: WriteBatch,
  state: GroupState,
  isSpooled: (metadata: SnapshotMetadata) => boolean,
): void {
  let first = state.compactedIndex + 1;
  let last = state.lastIndex;
  if (batch.snapshot !== undefined) {
    const { metadata, reset } = batch.snapshot;
    const place = `${metadata.index}/${metadata.term}`;
    invariant(isSpooled(metadata), () => `snapshot ${place} was not spooled and finished`);
    const stored = state.snapshot;
    invariant(
      metadata.index >= stored.index,
      () => `snapshot ${place} is older than the stored one, at ${stored.index}`,
    );
    if (reset) {
      invariant(
        metadata.index >= state.compactedIndex,
        () => `received snapshot ${place} is before the log, from ${first}`,
      );
      first = metadata.index + 1;
      last = metadata.index;
    } else {
      invariant(metadata.index <= last, () => `local snapshot ${place} is past the end of the log, ${last}`);
    }
  }
  const entries = batch.entries;
  if (entries !== undefined && entries.length > 0) {
    checkEntries(entries, first, last);
    last = (entries[0] as Entry).index + entries.length - 1;
  }
  const compactTo = batch.compactTo;
  if (compactTo !== undefined) {
    invariant(compactTo <= last + 1, () => `compaction to ${compactTo} is past the end of the log, ${last}`);
  }
}
