import type { Entry } from "@raftoral/raft-core/storage";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyGroupState, anyId } from "../testing/arbitraries.ts";
import { entryIndexOf, entryKey, stateKey } from "./keys.ts";
import { decodeEntry, decodeState, encodeEntry, encodeState, entryRecordBytes, isEntry, isIntact } from "./records.ts";

const bytes = fc.uint8Array({ maxLength: 300 });
const entries: fc.Arbitrary<Entry> = fc
  .record({
    term: anyId,
    index: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    type: fc.constantFrom("EntryNormal" as const, "EntryConfChange" as const, "EntryConfChangeV2" as const),
    data: bytes,
    context: fc.option(bytes, { nil: undefined }),
  })
  .map(({ context, ...entry }) => (context === undefined ? entry : { ...entry, context }));
function recordOf(key: Buffer, entry: Entry): Buffer {
  return encodeEntry(key, entry, Buffer.alloc(entryRecordBytes(entry)));
}

describe("records", () => {
  test("give back what was put in", () => {
    fc.assert(
      fc.property(entries, anyId, (entry, group) => {
        const key = entryKey(group, entry.index);
        const record = recordOf(key, entry);
        expect(isIntact(key, record) && isEntry(record)).toBe(true);
        expect(decodeEntry(entryIndexOf(key), record)).toEqual(entry);
      }),
    );
    fc.assert(
      fc.property(anyGroupState, anyId, (state, group) => {
        const record = encodeState(stateKey(group), state);
        expect(isIntact(stateKey(group), record)).toBe(true);
        expect(decodeState(record)).toEqual(state);
      }),
    );
  });

  test("are not intact with any one bit changed, nor under another key (R1)", () => {
    fc.assert(
      fc.property(entries, fc.nat(), (entry, at) => {
        const key = entryKey(1, entry.index);
        const record = recordOf(key, entry);
        expect(isIntact(entryKey(2, entry.index), record)).toBe(false);
        const bit = at % (record.length * 8);
        record[bit >> 3] = (record[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(isIntact(key, record)).toBe(false);
      }),
    );
  });

  test("never mistake arbitrary bytes for a record, and never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        expect(isIntact(entryKey(1, 1), Buffer.from(noise))).toBe(false);
      }),
    );
  });

  test("have keys that sort by group, then index", () => {
    fc.assert(
      fc.property(anyId, anyId, anyId, anyId, (group, index, otherGroup, otherIndex) => {
        const expected = group - otherGroup || index - otherIndex;
        expect(Math.sign(Buffer.compare(entryKey(group, index), entryKey(otherGroup, otherIndex)))).toBe(
          Math.sign(expected),
        );
      }),
    );
  });
});
