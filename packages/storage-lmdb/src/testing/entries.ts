/** Entries for tests, whose content tells their place. */
import type { Entry } from "@raftoral/raft-core/storage";

/** An entry with `bytes` bytes of data, 8 at least: its index, then its index's low byte again and again. */
export function testEntry(index: number, term: number, bytes = 64): Entry {
  const data = new Uint8Array(bytes).fill(index & 0xff);
  new DataView(data.buffer).setFloat64(0, index);
  return { term, index, type: "EntryNormal", data };
}

/** Entries `[lo, hi)` of one term. */
export function testEntries(lo: number, hi: number, term: number, bytes = 64): Entry[] {
  return Array.from({ length: hi - lo }, (_, offset) => testEntry(lo + offset, term, bytes));
}
