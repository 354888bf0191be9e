/** The subject of the storage conformance suite, and its test data. */

import type { GroupStorage } from "../../ports/storage.ts";
import { EMPTY_BYTES, type Entry, type GroupId, type SnapshotMetadata } from "../../types.ts";

/** Holds the storage of one node for any number of groups. The suite creates a new one for each case. */
export interface StorageSubject {
  /** Opens a group. After {@link restart} the group has its acknowledged content. */
  open(groupId: GroupId): Promise<GroupStorage>;
  /**
   * Ends and starts again, like a new process on the same disk. Storages opened before are not used any more. A
   * storage that can simulate a crash does so here: only acknowledged writes need to survive.
   */
  restart(): Promise<void>;
  /** Makes the next write to the device fail. A subject that cannot simulate it leaves the method out; the suite then skips the case and logs it. */
  failNextWrite?(): void;
  /** Releases everything. */
  dispose(): Promise<void>;
}

/** An entry whose content depends on its index and term, so that entries cannot be confused. */
export function testEntry(index: number, term: number, bytes = 8): Entry {
  const data = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) data[i] = (index * 31 + term * 7 + i) & 0xff;
  return { term, index, type: "EntryNormal", data };
}

/** Entries `[lo, hi)` of one term. */
export function testEntries(lo: number, hi: number, term: number, bytes = 8): Entry[] {
  const entries: Entry[] = [];
  for (let index = lo; index < hi; index++) entries.push(testEntry(index, term, bytes));
  return entries;
}

/** Metadata of a snapshot whose configuration has `voters` and the learner 4. */
export function testMetadata(index: number, term: number, voters: readonly number[] = [1, 2, 3]): SnapshotMetadata {
  const confState = { voters, learners: [4], votersOutgoing: [], learnersNext: [], autoLeave: false };
  return { confState, index, term };
}

/** Spools `chunks` as a snapshot's content. Clears the buffers afterwards, because a storage must copy them. */
export async function spool(
  storage: GroupStorage,
  metadata: SnapshotMetadata,
  chunks: readonly string[],
): Promise<void> {
  const sink = await storage.createSnapshot(metadata);
  const encoder = new TextEncoder();
  for (const chunk of chunks) {
    const bytes = encoder.encode(chunk);
    await sink.write(bytes);
    bytes.fill(0);
  }
  await sink.finish();
}

/** Content of a snapshot as one text. */
export async function contentOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode(EMPTY_BYTES);
}
