// Every record that a disk gives back: what was written, or known to be damaged, whatever became of its bytes.
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { damaged, EDIT_KINDS } from "@raftoral/raft-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FORMAT_KEY, IDENTITY_KEY, MARK_KEY, stateKey } from "./format/keys.ts";
import {
  decodeFormat,
  decodeIdentity,
  decodeState,
  encodeFormat,
  encodeIdentity,
  encodeState,
  isIntact,
} from "./format/records.ts";
import { decodeMark, encodeMark } from "./journal/mark.ts";
import { OperationWriter, visitOperations } from "./journal/operations.ts";
import { MANIFEST_NAME, readManifest, writeManifest } from "./offline/manifest.ts";
import { readSnapshotFile, SnapshotFileWriter } from "./snapshots/snapshot-file.ts";
import {
  decodeStateMark,
  decodeStateRecord,
  encodeStateMark,
  encodeStateRecord,
  markKey,
  StateKeys,
  stateRecordBytes,
} from "./state-store/state-records.ts";
import { anyGroupState, anyId, anyUint32 } from "./testing/arbitraries.ts";

const edits = fc.array(fc.record({ kind: fc.constantFrom(...EDIT_KINDS), at: fc.nat(), value: fc.nat() }), {
  minLength: 1,
  maxLength: 4,
});

interface Kind {
  readonly name: string;
  readonly key: Buffer;
  readonly valid: fc.Arbitrary<Buffer>;
  /** As the storage does; undefined for a damaged one. */
  readonly read: (key: Buffer, record: Buffer) => unknown;
}

/** Reads a record as those do that look at its checksum first. */
function checked(decode: (record: Buffer) => unknown): Kind["read"] {
  return (key, record) => (isIntact(key, record) ? decode(record) : undefined);
}

const journalMark = fc.record({
  generation: anyUint32,
  page: anyUint32,
  sequence: anyId,
  journalId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  pages: fc.tuple(anyUint32, anyUint32),
});
const stored = new StateKeys(1, 2).key("r-some-run");
const KINDS: readonly Kind[] = [
  {
    name: "a group's state",
    key: stateKey(1),
    valid: anyGroupState.map((each) => encodeState(stateKey(1), each)),
    read: checked(decodeState),
  },
  {
    name: "the format",
    key: FORMAT_KEY,
    valid: anyUint32.map((each) => encodeFormat(FORMAT_KEY, each)),
    read: checked(decodeFormat),
  },
  {
    name: "the identity",
    key: IDENTITY_KEY,
    valid: fc
      .tuple(anyId, fc.record({ clusterId: fc.string(), nodeId: fc.integer({ min: 1 }) }))
      .map(([incarnation, identity]) => encodeIdentity(IDENTITY_KEY, incarnation, identity)),
    read: checked(decodeIdentity),
  },
  {
    name: "the journal's mark",
    key: MARK_KEY,
    valid: journalMark.map((m) => encodeMark(MARK_KEY, m)),
    read: decodeMark,
  },
  {
    name: "a state store's mark",
    key: markKey(1),
    valid: fc
      .record({ format: anyUint32, generation: anyUint32, appliedIndex: anyId })
      .map((each) => encodeStateMark(markKey(1), each)),
    read: decodeStateMark,
  },
  {
    name: "a state store's record",
    key: stored,
    valid: fc
      .uint8Array({ maxLength: 300 })
      .map((each) => encodeStateRecord(stored, each, Buffer.alloc(stateRecordBytes(each)))),
    read: decodeStateRecord,
  },
];

describe("damaged records", () => {
  test.each(KINDS)("are known for damaged: $name", ({ key, valid, read }) => {
    const property = fc.property(valid, edits, (record, chosen) => {
      const bytes = Buffer.from(damaged(record, chosen));
      expect(read(key, Buffer.from(record))).toBeDefined();
      if (!bytes.equals(record)) expect(read(key, bytes)).toBeUndefined();
    });
    fc.assert(property, { numRuns: 1500 });
  });

  test("of a journal are read up to where they stop making sense, in memory that they have already", () => {
    const round = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.uint8Array({ maxLength: 50 })));
    const property = fc.property(round, edits, (changes, chosen) => {
      const writer = new OperationWriter();
      for (const [key, value] of changes) writer.put(Buffer.from(key), Buffer.from(value));
      const bytes = Buffer.from(damaged(writer.content, chosen));
      let last = 0;
      const read = visitOperations(bytes, ({ key, value }) => {
        expect(key.buffer).toBe(bytes.buffer);
        last += 6 + key.length + (value?.length ?? 0);
        return true;
      });
      expect(read).toBe(last);
      expect(read).toBeLessThanOrEqual(bytes.length);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test("of a snapshot's file: its footer is what was written, or said to be damaged", async () => {
    const folder = await mkdtemp(join(tmpdir(), "raftoral-footer-"));
    const file = join(folder, "7-3.snapshot");
    try {
      const content = new Uint8Array(100).fill(7);
      const writer = await SnapshotFileWriter.create(file, { group: 7, spool: 3 });
      await writer.write(content);
      const index = await writer.finish();
      const whole = await readFile(file);
      const property = fc.asyncProperty(edits, fc.constantFrom(0, 1, 2, 1_000_000_000), async (chosen, chunks) => {
        await writeFile(file, damaged(whole, chosen));
        const read = await readSnapshotFile(file, { group: 7, spool: 3 }, chunks);
        if (typeof read === "string") expect(read).toMatch(/damaged|cut off/);
        // The content has checksums of its own, looked at when it is read.
        else expect(read).toEqual(index);
      });
      await fc.assert(property, { numRuns: 300 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("of a backup: its manifest is what was written, or refused, also where the checksum is of something else", async () => {
    const folder = await mkdtemp(join(tmpdir(), "raftoral-manifest-"));
    const file = join(folder, MANIFEST_NAME);
    const manifest = {
      format: 1,
      storageFormat: 2,
      clusterId: "orders-1",
      nodeId: 1,
      incarnation: 3,
      createdAt: "2026-01-01T00:00:00.000Z",
      groups: [{ group: 1, term: 2, commit: 3, lastIndex: 4 }],
      files: [{ path: "data.mdb", bytes: 5, sha256: "00" }],
    };
    const expectManifestOrRefusal = async (): Promise<unknown> => {
      return await readManifest(folder).catch((error: unknown) => {
        expect(error).toMatchObject({ code: "STORAGE_BACKUP_INVALID" });
      });
    };
    try {
      await writeManifest(folder, manifest);
      const whole = await readFile(file);
      expect(await readManifest(folder)).toEqual(manifest);
      const afterDamage = fc.asyncProperty(edits, async (chosen) => {
        await writeFile(file, damaged(whole, chosen));
        const read = await expectManifestOrRefusal();
        if (read !== undefined) expect(read).toEqual(manifest);
      });
      await fc.assert(afterDamage, { numRuns: 200 });
      const key = fc.constantFrom(...Object.keys(manifest));
      const forged = fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        fc.tuple(key, fc.jsonValue({ maxDepth: 2 })).map(([name, value]) => ({ ...manifest, [name]: value })),
        fc.constantFrom("../../etc/passwd", "data.mdb\n", "snapshots/../data.mdb").map((path) => {
          return { ...manifest, files: [{ path, bytes: 1, sha256: "" }] };
        }),
      );
      const afterForgery = fc.asyncProperty(forged, async (value) => {
        const sha256 = createHash("sha256").update(JSON.stringify(value)).digest("hex");
        await writeFile(file, JSON.stringify({ manifest: value, sha256 }));
        await expectManifestOrRefusal();
      });
      await fc.assert(afterForgery, { numRuns: 200 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
