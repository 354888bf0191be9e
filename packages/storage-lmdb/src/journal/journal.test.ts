/**
 * The journal alone, without LMDB: what is read back after a crash, whichever sectors of the last write reached the disk, and
 * whichever bit of what was acknowledged has flipped.
 */
import { readFileSync, truncateSync } from "node:fs";
import { rm } from "node:fs/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { JOURNAL_BYTES, patch, Subject, withSubject } from "../testing/journal-subject.ts";
import { Journal } from "./journal.ts";
import { JournalFile } from "./journal-file.ts";
import { PAGE_BYTES } from "./record.ts";
import { fileOf } from "./record-reader.ts";

beforeEach(() => {
  // What counts here is what is in the files, not when: without waiting for the disk there is time for many cases.
  vi.spyOn(JournalFile.prototype, "writeBlocking").mockImplementation(function (this: JournalFile, bytes, page) {
    patch(this.path, page * PAGE_BYTES, bytes);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const contents = fc
  .tuple(fc.integer({ min: 1, max: 255 }), fc.oneof(fc.nat(600), fc.nat(3 * PAGE_BYTES)))
  .map(([fill, size]) => Buffer.alloc(size, fill));
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: contents.map((content) => ({ do: "append", content }) as const) },
    {
      weight: 1,
      arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => ({ do: "checkpoint", share }) as const),
    },
  ),
  { maxLength: 25 },
);
/** Which sectors of the last write reached the disk: a prefix, a random choice, all, none. */
const reached = fc.oneof(
  fc.nat(40).map((count) => (sector: number) => sector < count),
  fc.infiniteStream(fc.boolean()).map((stream) => {
    const choices = [...stream.take(64)];
    return (sector: number) => choices[sector % 64] as boolean;
  }),
  fc.constantFrom(true, false).map((all) => () => all),
);

function run(
  subject: Subject,
  what: readonly ({ do: "append"; content: Buffer } | { do: "checkpoint"; share: number })[],
): void {
  for (const step of what) {
    if (step.do === "append") subject.append(step.content);
    else subject.checkpoint(step.share);
  }
}

describe("a journal after a crash", () => {
  test("holds what was acknowledged, and of the last write all or nothing, crash after crash", {
    timeout: 60_000,
  }, async () => {
    const lives = fc.array(fc.tuple(steps, contents, reached), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(lives, (all) =>
        withSubject(async (subject) => {
          for (const [what, last, came] of all) {
            run(subject, what);
            const outcome = subject.tear(last, came);
            const expected = subject.acknowledged.map(({ content }) => content);
            if (outcome === "whole") expected.push(last);
            const found = await subject.reopen();
            expect(found.contents).toEqual(expected);
            expect(found.torn !== undefined).toBe(outcome === "torn");
          }
        }),
      ),
      { numRuns: 60 },
    );
  });

  test("is refused for any bit that flipped in what was acknowledged", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, contents, fc.nat(), fc.nat(), (what, last, which, bit) =>
        withSubject(async (subject) => {
          run(subject, what);
          subject.append(last);
          const { acknowledged } = subject;
          const victim = acknowledged[which % acknowledged.length];
          if (victim === undefined) return;
          const place = bit % (victim.pages * PAGE_BYTES * 8);
          const at = victim.at + Math.floor(place / 8);
          const byte = readFileSync(victim.path)[at] as number;
          patch(victim.path, at, Buffer.from([byte ^ (1 << (place % 8))]));
          await expect(subject.reopen()).rejects.toMatchObject({
            code: "STORAGE_CORRUPT",
            message: expect.stringContaining(`${victim.path}: journal record ${victim.sequence} at byte ${victim.at}`),
          });
        }),
      ),
      { numRuns: 60 },
    );
  });
});

describe("a journal with a page's worth of it overwritten", () => {
  /** By bytes of any kind, by zeros, or by what is somewhere else in the two files. */
  const patches = fc.record({
    file: fc.nat(1),
    at: fc.nat(JOURNAL_BYTES - PAGE_BYTES),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: PAGE_BYTES }),
      fc.constant(new Uint8Array(PAGE_BYTES)),
      fc.record({ file: fc.nat(1), at: fc.nat(JOURNAL_BYTES - PAGE_BYTES) }),
    ),
  });

  test("is refused, or has what was acknowledged but for what looks as if never written", {
    timeout: 60_000,
  }, async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(steps, patches, (what, { file, at, bytes }) =>
        withSubject(async (subject) => {
          run(subject, what);
          const paths = subject.journal.files.map((each) => each.path) as [string, string];
          const patchBytes =
            bytes instanceof Uint8Array
              ? bytes
              : readFileSync(paths[bytes.file] as string).subarray(bytes.at, bytes.at + PAGE_BYTES);
          const expected = subject.acknowledged.map(({ content }) => content);
          patch(paths[file] as string, at, patchBytes);
          const found = await subject.reopen().catch((error: unknown) => error as Error);
          if (found instanceof Error) {
            expect(found).toMatchObject({ code: "STORAGE_CORRUPT" });
            refused++;
            return;
          }
          // A page's worth can take the headers of two records.
          expect(found.contents.length).toBeGreaterThanOrEqual(expected.length - 2);
          expect(found.contents).toEqual(expected.slice(0, found.contents.length));
        }),
      ),
      { numRuns: 100 },
    );
    expect(refused).toBeGreaterThan(5);
  });
});

describe("a journal that is not what it was", () => {
  let subject: Subject;
  beforeEach(async () => {
    subject = await Subject.create();
    for (let i = 1; i <= 5; i++) subject.append(Buffer.alloc(100, i));
  });
  afterEach(() => subject.dispose());

  test("is refused when a record is gone as if it had never been written, and others come after it", async () => {
    const [, second] = subject.acknowledged;
    patch(second?.path as string, second?.at as number, Buffer.alloc(PAGE_BYTES));
    await expect(subject.reopen()).rejects.toMatchObject({
      code: "STORAGE_CORRUPT",
      message: expect.stringMatching(/journal record 2 at byte 4096: missing, though record \d came after it/),
    });
  });

  test("is refused when the end of a file and records of the next one are there, and one between is not", async () => {
    while (subject.acknowledged.at(-1)?.path === subject.acknowledged[0]?.path) subject.append(Buffer.alloc(100, 9));
    const before = subject.acknowledged.at(-2);
    patch(before?.path as string, before?.at as number, Buffer.alloc(PAGE_BYTES));
    await expect(subject.reopen()).rejects.toMatchObject({
      code: "STORAGE_CORRUPT",
      message: expect.stringMatching(new RegExp(`record ${before?.sequence} .*records are missing`)),
    });
  });

  test("is refused without one of its files, and with one that was cut short", async () => {
    const [even, odd] = subject.journal.files.map((file) => file.path) as [string, string];
    truncateSync(odd, PAGE_BYTES);
    await expect(subject.reopen()).rejects.toMatchObject({
      message: expect.stringContaining(`${odd}: journal: it was cut short`),
    });
    await rm(even);
    await expect(subject.reopen()).rejects.toMatchObject({
      message: expect.stringContaining(`${even}: journal: the file is missing`),
    });
    subject = await Subject.create();
  });

  test("is refused when it is another folder's", async () => {
    const other = await Subject.create();
    other.append(Buffer.alloc(100, 1));
    patch(fileOf(subject.journal, 4).path, 0, readFileSync(fileOf(other.journal, 4).path));
    await expect(subject.reopen()).rejects.toMatchObject({
      message: expect.stringContaining("it belongs to another data folder"),
    });
    await other.dispose();
  });

  test("is refused when LMDB is older than it", async () => {
    const { mark } = subject;
    subject.checkpoint(1);
    for (let i = 0; i < 40; i++) subject.append(Buffer.alloc(100, i));
    subject.mark = mark;
    await expect(subject.reopen()).rejects.toMatchObject({
      message: expect.stringContaining("its first sector is damaged, or not of this journal"),
    });
  });
});

describe("room in a journal", () => {
  test("is there again in the other file only once LMDB looks past what is in it (W3)", async () => {
    await withSubject(async (subject) => {
      const { journal } = subject;
      const page = Buffer.alloc(100);
      const fill = (): void => {
        for (
          let room = journal.makeRoom(page.length);
          room === "ready" && journal.position.page < 16;
          room = journal.makeRoom(page.length)
        )
          journal.appendBlocking(page);
      };
      fill();
      // Everything is in LMDB, whose mark points behind the last record of the first file.
      subject.mark = journal.markAt(journal.position);
      journal.marked(subject.mark);
      expect(journal.makeRoom(page.length)).toBe("ready");
      expect(journal.wantsCheckpoint).toBe(true);
      fill();
      expect(journal.makeRoom(page.length)).toBe("full");
      journal.marked(journal.markAt(journal.position));
      expect(journal.makeRoom(page.length)).toBe("ready");
    });
  });

  test("is refused to records larger than a file", async () => {
    await withSubject(async (subject) => {
      expect(subject.journal.makeRoom(JOURNAL_BYTES)).toBe("too large");
      expect(() => subject.append(Buffer.alloc(14 * PAGE_BYTES))).not.toThrow();
    });
  });

  test("grows when a file's turn comes, up to the configured size", async () => {
    await withSubject(async (subject) => {
      await subject.journal.close();
      subject.journal = await Journal.create(subject.folder, 4 * 1024 * 1024);
      const { journal } = subject;
      const sizes = new Set<number>();
      const content = Buffer.alloc(100_000);
      for (let i = 0; i < 300; i++) {
        while (journal.makeRoom(content.length) !== "ready") {
          await journal.lengthenNext();
          journal.marked(journal.markAt(journal.position));
        }
        journal.appendBlocking(content);
        sizes.add(fileOf(journal, journal.position.generation).pages * PAGE_BYTES);
      }
      expect([...sizes]).toEqual([1, 2, 4].map((mebibytes) => mebibytes * 1024 * 1024));
    });
  });
});
