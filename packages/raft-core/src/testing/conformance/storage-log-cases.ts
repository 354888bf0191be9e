/** Conformance of the log and the hard state: reads, appends, overwrites, compaction, durability, failure. */
import { entrySize } from "../../log/entry-size.ts";
import type { Entry } from "../../types.ts";
import { assertEqual, assertRejects, assertTrue } from "../assertions.ts";
import type { DeclareCase } from "./declare-cases.ts";
import { type StorageSubject, testEntries, testEntry } from "./storage-subject.ts";

const ALL = Number.MAX_SAFE_INTEGER;

/** Declares the cases of the log and the hard state. */
export function storageLogCases(declare: DeclareCase<StorageSubject>): void {
  declare("begins empty: no hard state, no members, a log that starts at 1 (S1, S2)", async (subject) => {
    const storage = await subject.open(1);
    assertEqual(storage.initialState().hardState, { term: 0, vote: 0, commit: 0 }, "hard state");
    assertEqual(storage.initialState().confState.voters, [], "voters");
    assertEqual([storage.firstIndex(), storage.lastIndex(), storage.term(0)], [1, 0, 0], "first, last, term(0)");
    assertEqual(storage.term(1), "unavailable", "term past the end");
    const snapshot = storage.snapshot();
    assertTrue(snapshot !== "unavailable" && snapshot.metadata.index === 0, "there is no snapshot: its index is 0");
  });

  declare("returns entries as they were appended, with every field", async (subject) => {
    const storage = await subject.open(1);
    const data = new Uint8Array([0, 255, 128]);
    const written: Entry[] = [
      { term: 1, index: 1, type: "EntryNormal", data: new Uint8Array(0) },
      { term: 1, index: 2, type: "EntryConfChange", data, context: new Uint8Array([9, 8]) },
      { term: 2, index: 3, type: "EntryConfChangeV2", data },
      { term: 2 ** 53 - 1, index: 4, type: "EntryNormal", data: new Uint8Array(70_000).fill(7) },
    ];
    await storage.write({ entries: written });
    assertEqual(storage.entries(1, 5, ALL), written, "entries as read at once");
    await subject.restart();
    assertEqual((await subject.open(1)).entries(1, 5, ALL), written, "entries as read after a restart");
  });

  declare("reads any part of the log and says what is missing", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({ entries: [...testEntries(1, 4, 1), ...testEntries(4, 6, 3)] });
    assertEqual([storage.firstIndex(), storage.lastIndex()], [1, 5], "first and last");
    assertEqual(
      [1, 3, 4, 5, 6].map((index) => storage.term(index)),
      [1, 1, 3, 3, "unavailable"],
      "terms",
    );
    assertEqual(storage.entries(2, 5, ALL), [...testEntries(2, 4, 1), testEntry(4, 3)], "entries [2, 5)");
    assertEqual(storage.entries(5, 7, ALL), "unavailable", "a range past the end");
    assertEqual(storage.entries(0, 2, ALL), "compacted", "a range that starts before the log");
  });

  declare("cuts a read before the entry that exceeds maxBytes, but returns at least one", async (subject) => {
    const storage = await subject.open(1);
    const entries = testEntries(1, 6, 1, 100);
    await storage.write({ entries });
    const size = entrySize(entries[0] as Entry);
    const indexesFor = (maxBytes: number) => {
      const found = storage.entries(2, 6, maxBytes);
      assertTrue(typeof found !== "string", `entries are there within ${maxBytes} bytes`);
      return found.map((entry) => entry.index);
    };
    assertEqual(indexesFor(0), [2], "no room at all");
    assertEqual(indexesFor(2 * size - 1), [2], "one byte short of two");
    assertEqual(indexesFor(2 * size), [2, 3], "room for exactly two");
    assertEqual(indexesFor(ALL), [2, 3, 4, 5], "no limit");
  });

  declare("replaces the suffix from the first entry of a batch on", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({ entries: testEntries(1, 10, 1) });
    await storage.write({ entries: testEntries(5, 7, 2) });
    const expected = [...testEntries(1, 5, 1), ...testEntries(5, 7, 2)];
    assertEqual(storage.lastIndex(), 6, "last index: the old 7 to 9 are gone");
    assertEqual(
      [4, 5, 6, 7].map((index) => storage.term(index)),
      [1, 2, 2, "unavailable"],
      "terms",
    );
    assertEqual(storage.entries(1, 7, ALL), expected, "entries");
    await storage.write({ entries: testEntries(1, 3, 3) });
    assertEqual(storage.entries(1, 3, ALL), testEntries(1, 3, 3), "entries replaced from the beginning");
    await subject.restart();
    const reopened = await subject.open(1);
    assertEqual(reopened.lastIndex(), 2, "last index after a restart");
    assertEqual(reopened.entries(1, 3, ALL), testEntries(1, 3, 3), "entries after a restart");
  });

  declare("keeps the hard state, alone and together with entries, over a restart (S3)", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({ hardState: { term: 3, vote: 2, commit: 0 } });
    assertEqual(storage.initialState().hardState, { term: 3, vote: 2, commit: 0 }, "hard state");
    await storage.write({
      hardState: { term: 2 ** 53 - 1, vote: 2 ** 53 - 1, commit: 1 },
      entries: testEntries(1, 3, 3),
    });
    await subject.restart();
    const reopened = await subject.open(1);
    const expected = { term: 2 ** 53 - 1, vote: 2 ** 53 - 1, commit: 1 };
    assertEqual(reopened.initialState().hardState, expected, "hard state after a restart");
    assertEqual(reopened.entries(1, 3, ALL), testEntries(1, 3, 3), "entries after a restart");
  });

  declare("accepts a batch that changes nothing", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({});
    await storage.write({ entries: [] });
    assertEqual(storage.lastIndex(), 0, "last index");
  });

  declare("applies batches in call order, also those that were not awaited (S3)", async (subject) => {
    const storage = await subject.open(1);
    const writes: Promise<void>[] = [];
    for (let round = 1; round <= 50; round++) {
      writes.push(
        storage.write({
          hardState: { term: round, vote: 1, commit: 0 },
          entries: testEntries(round, round + 3, round),
        }),
      );
    }
    await writes[49];
    assertEqual(storage.initialState().hardState.term, 50, "when a write has resolved, so have those before it");
    await Promise.all(writes);
    const check = (found: typeof storage, when: string) => {
      assertEqual(found.lastIndex(), 52, `last index ${when}`);
      assertEqual(
        [1, 25, 49, 50, 51, 52].map((index) => found.term(index)),
        [1, 25, 49, 50, 50, 50],
        `terms ${when}`,
      );
      assertEqual(found.initialState().hardState.term, 50, `term ${when}`);
    };
    check(storage, "at once");
    await subject.restart();
    check(await subject.open(1), "after a restart");
  });

  declare("keeps one or many entries per batch apart over a long log", async (subject) => {
    const storage = await subject.open(1);
    const all = testEntries(1, 601, 1, 64);
    await Promise.all([1, 2, 3].map((part) => storage.write({ entries: all.slice((part - 1) * 200, part * 200) })));
    for (const lo of [1, 150, 255, 256, 257, 511, 512]) {
      assertEqual(storage.entries(lo, lo + 80, ALL), all.slice(lo - 1, lo + 79), `entries from ${lo}`);
    }
    await subject.restart();
    const reopened = await subject.open(1);
    assertEqual(reopened.entries(1, 601, ALL), all, "all entries after a restart");
  });

  declare("drops entries below the compaction point and still knows the term there (S2)", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({ entries: [...testEntries(1, 5, 1), ...testEntries(5, 11, 2)] });
    await storage.write({ compactTo: 5 });
    const check = (found: typeof storage, when: string) => {
      assertEqual([found.firstIndex(), found.lastIndex()], [5, 10], `first and last ${when}`);
      assertEqual(
        [3, 4, 5].map((index) => found.term(index)),
        ["compacted", 1, 2],
        `terms ${when}`,
      );
      assertEqual(found.entries(4, 6, ALL), "compacted", `entries before the log ${when}`);
      assertEqual(found.entries(5, 11, ALL), testEntries(5, 11, 2), `entries ${when}`);
    };
    check(storage, "at once");
    await storage.write({ compactTo: 3 });
    check(storage, "after a compaction to a point already passed");
    await subject.restart();
    check(await subject.open(1), "after a restart");
  });

  declare("compacts the whole log, and goes on after it", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({ entries: testEntries(1, 8, 4), compactTo: 8 });
    assertEqual([storage.firstIndex(), storage.lastIndex(), storage.term(7)], [8, 7, 4], "first, last, term(7)");
    await storage.write({ entries: testEntries(8, 10, 5) });
    await subject.restart();
    const reopened = await subject.open(1);
    assertEqual([reopened.firstIndex(), reopened.lastIndex(), reopened.term(7)], [8, 9, 4], "the same after a restart");
    assertEqual(reopened.entries(8, 10, ALL), testEntries(8, 10, 5), "entries after a restart");
  });

  declare(
    "refuses a batch that would leave a gap or reach into the compacted part, and all after it (S1, S5)",
    async (subject) => {
      const batches = [
        { entries: testEntries(12, 13, 2) },
        { entries: testEntries(3, 6, 2) },
        { entries: [testEntry(11, 2), testEntry(13, 2)] },
        { entries: [testEntry(11, 3), testEntry(12, 2)] },
        { compactTo: 12 },
      ];
      for (const [at, batch] of batches.entries()) {
        const storage = await subject.open(at + 1);
        await storage.write({ entries: testEntries(1, 11, 2), compactTo: 5 });
        await assertRejects(storage.write({ ...batch, hardState: { term: 9, vote: 9, commit: 9 } }), `bad batch ${at}`);
        assertEqual(storage.initialState().hardState.term, 0, "nothing of a refused batch is applied");
        await assertRejects(
          storage.write({ hardState: { term: 4, vote: 1, commit: 1 } }),
          "a write after a refused one",
        );
      }
      await subject.restart();
      const reopened = await subject.open(1);
      assertEqual([reopened.firstIndex(), reopened.lastIndex()], [5, 10], "what was there before is there still");
    },
  );

  declare("keeps the groups apart", async (subject) => {
    const ids = [1, 2, 255, 256, 65_536, 2 ** 53 - 1];
    const groups = await Promise.all(ids.map((id) => subject.open(id)));
    await Promise.all(
      groups.map((storage, at) =>
        storage.write({ hardState: { term: at + 1, vote: 1, commit: 0 }, entries: testEntries(1, at + 2, at + 1) }),
      ),
    );
    await groups[0]?.write({ entries: testEntries(1, 4, 9) });
    await groups[2]?.write({ compactTo: 3 });
    await subject.restart();
    for (const [at, id] of ids.entries()) {
      const storage = await subject.open(id);
      assertEqual(storage.initialState().hardState.term, at + 1, `term of group ${id}`);
      assertEqual(storage.lastIndex(), at === 0 ? 3 : at + 1, `last index of group ${id}`);
      assertEqual(storage.firstIndex(), at === 2 ? 3 : 1, `first index of group ${id}`);
      assertEqual(storage.term(storage.lastIndex()), at === 0 ? 9 : at + 1, `last term of group ${id}`);
    }
  });

  declare("refuses every write after a failed one, and keeps what was acknowledged (S5)", async (subject) => {
    if (subject.failNextWrite === undefined) {
      console.log("skipped: this storage has no way to make a write fail (StorageSubject.failNextWrite)");
      return;
    }
    const storage = await subject.open(1);
    await storage.write({ entries: testEntries(1, 4, 1) });
    subject.failNextWrite();
    await assertRejects(storage.write({ entries: testEntries(4, 6, 1) }), "the failing write");
    await assertRejects(storage.write({ entries: testEntries(4, 6, 1) }), "the same write again");
    await assertRejects(storage.write({ hardState: { term: 2, vote: 1, commit: 1 } }), "another write");
    await subject.restart();
    const reopened = await subject.open(1);
    assertEqual(reopened.entries(1, 4, ALL), testEntries(1, 4, 1), "acknowledged entries after a restart");
    await reopened.write({ entries: testEntries(4, 6, 1) });
    assertEqual(reopened.lastIndex(), 5, "a restarted storage writes again");
  });
}
