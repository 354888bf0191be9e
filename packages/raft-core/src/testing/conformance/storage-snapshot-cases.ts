/** Conformance of snapshots: spooling, local and received ones, readers, and the deletion of unused content. */
import { assertEqual, assertRejects, assertTrue } from "../assertions.ts";
import type { DeclareCase } from "./declare-cases.ts";
import { contentOf, type StorageSubject, spool, testEntries, testMetadata } from "./storage-subject.ts";

const ALL = Number.MAX_SAFE_INTEGER;

/** Declares the cases of snapshots. */
export function storageSnapshotCases(declare: DeclareCase<StorageSubject>): void {
  declare("makes a local snapshot the latest one and leaves the log alone", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({ entries: testEntries(1, 11, 2) });
    const metadata = testMetadata(8, 2);
    await spool(storage, metadata, ["state ", "at ", "8"]);
    await storage.write({ snapshot: { metadata, reset: false } });
    const check = async (found: typeof storage, when: string) => {
      const snapshot = found.snapshot();
      assertTrue(snapshot !== "unavailable", `the snapshot is there ${when}`);
      assertEqual(snapshot.metadata, metadata, `metadata ${when}`);
      assertEqual(found.initialState().confState, metadata.confState, `configuration ${when}`);
      assertEqual([found.firstIndex(), found.lastIndex()], [1, 10], `the log's bounds ${when}`);
      assertEqual(await contentOf(found.openSnapshot(metadata)), "state at 8", `content ${when}`);
    };
    await check(storage, "at once");
    await subject.restart();
    await check(await subject.open(1), "after a restart");
  });

  declare("starts the log after a received snapshot", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({ hardState: { term: 2, vote: 1, commit: 5 }, entries: testEntries(1, 11, 2) });
    const metadata = testMetadata(50, 7);
    await spool(storage, metadata, ["fifty"]);
    await storage.write({ hardState: { term: 7, vote: 0, commit: 50 }, snapshot: { metadata, reset: true } });
    const check = async (found: typeof storage, when: string) => {
      assertEqual([found.firstIndex(), found.lastIndex()], [51, 50], `the log's bounds ${when}`);
      assertEqual(
        [49, 50, 51].map((i) => found.term(i)),
        ["compacted", 7, "unavailable"],
        `terms ${when}`,
      );
      assertEqual(found.initialState().hardState, { term: 7, vote: 0, commit: 50 }, `hard state ${when}`);
      assertEqual(await contentOf(found.openSnapshot(metadata)), "fifty", `content ${when}`);
    };
    await check(storage, "at once");
    await subject.restart();
    const reopened = await subject.open(1);
    await check(reopened, "after a restart");
    await reopened.write({ entries: testEntries(51, 54, 8) });
    assertEqual(reopened.entries(51, 54, ALL), testEntries(51, 54, 8), "entries after the snapshot");
  });

  declare("takes snapshot, entries after it, hard state and compaction in one batch", async (subject) => {
    const storage = await subject.open(1);
    const metadata = testMetadata(20, 3);
    await spool(storage, metadata, []);
    await storage.write({
      hardState: { term: 4, vote: 1, commit: 20 },
      snapshot: { metadata, reset: true },
      entries: testEntries(21, 31, 4),
      compactTo: 26,
    });
    await subject.restart();
    const reopened = await subject.open(1);
    assertEqual([reopened.firstIndex(), reopened.lastIndex(), reopened.term(25)], [26, 30, 4], "first, last, term(25)");
    assertEqual(reopened.entries(26, 31, ALL), testEntries(26, 31, 4), "entries");
    assertEqual(reopened.initialState().hardState.term, 4, "term");
    assertEqual(await contentOf(reopened.openSnapshot(metadata)), "", "content of a snapshot without chunks");
  });

  declare("replaces a snapshot by a newer one, and compacts behind it", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({ entries: testEntries(1, 31, 1) });
    for (const index of [10, 20, 30]) {
      const metadata = testMetadata(index, 1, [1, index]);
      await spool(storage, metadata, [`state at ${index}`]);
      await storage.write({ snapshot: { metadata, reset: false }, compactTo: index - 4 });
    }
    assertEqual(storage.firstIndex(), 26, "first index");
    assertEqual(await contentOf(storage.openSnapshot(testMetadata(30, 1))), "state at 30", "content");
    await assertRejects(contentOf(storage.openSnapshot(testMetadata(20, 1))), "opening a snapshot that was replaced");
    await subject.restart();
    const reopened = await subject.open(1);
    assertEqual(reopened.initialState().confState.voters, [1, 30], "voters after a restart");
    assertEqual(await contentOf(reopened.openSnapshot(testMetadata(30, 1))), "state at 30", "content after a restart");
  });

  declare("lets a reader finish although a newer snapshot has come", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({ entries: testEntries(1, 31, 1) });
    const old = testMetadata(10, 1);
    await spool(storage, old, ["a", "b", "c", "d"]);
    await storage.write({ snapshot: { metadata: old, reset: false } });
    const reader = storage.openSnapshot(old)[Symbol.asyncIterator]();
    const decoder = new TextDecoder();
    let text = "";
    const first = await reader.next();
    assertTrue(first.done !== true, "the reader has a first chunk");
    text += decoder.decode(first.value);
    const newer = testMetadata(20, 1);
    await spool(storage, newer, ["newer"]);
    await storage.write({ snapshot: { metadata: newer, reset: false }, compactTo: 15 });
    for (let next = await reader.next(); next.done !== true; next = await reader.next())
      text += decoder.decode(next.value);
    assertEqual(text, "abcd", "content of the old snapshot, read across the change");
    assertEqual(await contentOf(storage.openSnapshot(newer)), "newer", "content of the new one");
  });

  declare("forgets a spooled snapshot that was aborted, or that no batch named before a restart", async (subject) => {
    const storage = await subject.open(1);
    await storage.write({ entries: testEntries(1, 11, 1) });
    const metadata = testMetadata(5, 1);
    const sink = await storage.createSnapshot(metadata);
    await sink.write(new Uint8Array([1, 2, 3]));
    await sink.abort();
    await sink.abort();
    const unfinished = await storage.createSnapshot(metadata);
    await unfinished.write(new Uint8Array([4]));
    await spool(storage, testMetadata(6, 1), ["never named"]);
    const snapshot = storage.snapshot();
    assertTrue(snapshot !== "unavailable" && snapshot.metadata.index === 0, "spooling alone changes nothing");
    await subject.restart();
    const reopened = await subject.open(1);
    await assertRejects(
      reopened.write({ snapshot: { metadata: testMetadata(6, 1), reset: false } }),
      "a batch that names a snapshot spooled before the restart",
    );
  });

  declare("refuses a snapshot that was not spooled, is past the log or older than the latest (S5)", async (subject) => {
    const never = await subject.open(1);
    await assertRejects(never.write({ snapshot: { metadata: testMetadata(5, 1), reset: true } }), "never spooled");
    const past = await subject.open(2);
    await past.write({ entries: testEntries(1, 4, 1) });
    await spool(past, testMetadata(5, 1), ["x"]);
    await assertRejects(past.write({ snapshot: { metadata: testMetadata(5, 1), reset: false } }), "past the log");
    const older = await subject.open(3);
    for (const index of [9, 5]) await spool(older, testMetadata(index, 1), ["x"]);
    await older.write({ snapshot: { metadata: testMetadata(9, 1), reset: true } });
    await assertRejects(older.write({ snapshot: { metadata: testMetadata(5, 1), reset: true } }), "older");
  });

  declare("stores content of many large chunks", async (subject) => {
    const storage = await subject.open(1);
    const metadata = testMetadata(5, 1);
    const sink = await storage.createSnapshot(metadata);
    for (let part = 0; part < 40; part++) await sink.write(new Uint8Array(100_000).fill(part));
    await sink.finish();
    await storage.write({ snapshot: { metadata, reset: true } });
    await subject.restart();
    let bytes = 0;
    let sum = 0;
    for await (const chunk of (await subject.open(1)).openSnapshot(metadata)) {
      bytes += chunk.length;
      for (const byte of chunk) sum += byte;
    }
    assertEqual([bytes, sum], [4_000_000, (100_000 * 39 * 40) / 2], "bytes and their sum");
  });
}
