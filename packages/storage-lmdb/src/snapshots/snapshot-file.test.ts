import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  RECORD_BYTES,
  readSnapshotFile,
  type SnapshotFileIndex,
  SnapshotFileReader,
  SnapshotFileWriter,
} from "./snapshot-file.ts";

const PLACE = { group: 7, spool: 3 };

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "raftoral-snapshot-"));
  file = join(folder, "7-3.snapshot");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Bytes that tell where they are. */
function contentOf(bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) content[at] = (at ^ (at >>> 8) ^ (at >>> 16)) & 0xff;
  return content;
}

async function store(content: Uint8Array, pieceBytes: number): Promise<SnapshotFileIndex> {
  const writer = await SnapshotFileWriter.create(file, PLACE);
  for (let at = 0; at < content.length; at += pieceBytes) {
    const piece = Uint8Array.prototype.slice.call(content, at, at + pieceBytes);
    await writer.write(piece);
    // What was handed over is copied: the caller's memory is its own again.
    piece.fill(0);
  }
  return await writer.finish();
}

async function load(index: SnapshotFileIndex, offset: number, reusesMemory: boolean): Promise<Buffer> {
  const reader = new SnapshotFileReader(file, index, { offset, reusesMemory });
  const pieces: Uint8Array[] = [];
  for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
    pieces.push(reusesMemory ? Uint8Array.prototype.slice.call(next) : next);
  }
  await reader.close();
  return Buffer.concat(pieces);
}

describe("a snapshot's file", () => {
  test("gives back what was written, from any offset, however it came in", async () => {
    const sizes = [0, 1, RECORD_BYTES - 1, RECORD_BYTES, RECORD_BYTES + 1, 2 * RECORD_BYTES, 5 * RECORD_BYTES + 77];
    const anyCase = fc.record({
      size: fc.constantFrom(...sizes),
      pieceBytes: fc.constantFrom(4_999, 65_536, RECORD_BYTES, 700_000),
      place: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ size, pieceBytes, place }) => {
        await rm(file, { force: true });
        const content = contentOf(size);
        const index = await store(content, pieceBytes);
        expect([index.totalBytes, index.crc32]).toEqual([size, crc32(content)]);
        expect(await readSnapshotFile(file, PLACE, index.records.length)).toEqual(index);
        const offset = Math.floor(place * size);
        for (const reusesMemory of [false, true]) {
          expect((await load(index, offset, reusesMemory)).equals(content.subarray(offset))).toBe(true);
        }
      }),
      { numRuns: 25, examples: sizes.map((size) => [{ size, pieceBytes: 65_536, place: 1 }]) },
    );
  });

  test("is its content and a small footer, so that the usual tools can look at it", async () => {
    const content = contentOf(RECORD_BYTES + 10);
    await store(content, 100_000);
    expect((await readFile(file)).subarray(0, content.length).equals(content)).toBe(true);
    expect((await stat(file)).size).toBe(content.length + 2 * 4 + 44);
  });

  test("is unfinished until its footer is there", async () => {
    const writer = await SnapshotFileWriter.create(file, PLACE);
    await writer.write(contentOf(3 * RECORD_BYTES));
    await writer.close();
    expect(await readSnapshotFile(file, PLACE, 3)).toMatch(/damaged/);
  });

  test("does not take the place of another one", async () => {
    await store(contentOf(10), 10);
    await expect(SnapshotFileWriter.create(file, PLACE)).rejects.toMatchObject({ code: "EEXIST" });
  });

  test("hands out no record that was changed or cut off after it was opened", async () => {
    const index = await store(contentOf(3 * RECORD_BYTES), 65_536);
    const reader = new SnapshotFileReader(file, { ...index, records: index.records.with(1, 0) });
    await reader.next();
    await expect(reader.next()).rejects.toMatchObject({ record: 1, message: "wrong checksum" });
    await reader.close();
    const beyond = { totalBytes: 9 * RECORD_BYTES, crc32: 0, records: new Uint32Array(9) };
    const cut = new SnapshotFileReader(file, beyond, { offset: 8 * RECORD_BYTES });
    await expect(cut.next()).rejects.toMatchObject({ record: 8, message: "cut off" });
    await cut.close();
  });
});
