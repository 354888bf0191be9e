// Everything of this package that reads bytes from others, or from a disk: a value or the one error, whatever the bytes are.
import { MemoryStateStore } from "@raftoral/raft-core";
import { damaged, EDIT_KINDS } from "@raftoral/raft-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeValue, encodeValue } from "./author/values/json-value.ts";
import {
  type BlobRequest,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  MAX_BLOB_BYTES,
} from "./blobs/blob-protocol.ts";
import { decodeCommand, encodeCommand } from "./commands/command-codec.ts";
import { WorkflowError } from "./errors.ts";
import { WorkflowExecutor } from "./executor.ts";
import { WorkflowState } from "./machine/workflow-state.ts";
import { UPDATE_STATUSES } from "./model/update.ts";
import { nodeCodec } from "./nodes/node-record.ts";
import { decodeArchive, encodeArchive } from "./state/archive.ts";
import { decodeConditions, encodeConditions } from "./state/lists/conditions-codec.ts";
import {
  decodeHistoryRecord,
  decodeNumber,
  decodeOutcome,
  decodeRun,
  decodeSignal,
  encodeHistoryRecord,
  encodeNumber,
  encodeOutcome,
  encodeSignal,
} from "./state/runs/record-codec.ts";
import { tombstoneCodec } from "./state/runs/tombstones.ts";
import { SnapshotDecoder } from "./state/snapshots/decode-snapshot.ts";
import { decodeHeader, encodeHeader } from "./state/state-header.ts";
import { batchCodec, headCodec, readFrom, scopeCodec, sizeOfBatch, written } from "./state/streams/stream-codec.ts";
import { updateCodec } from "./state/updates/update-codec.ts";
import { command } from "./testing/arbitraries.ts";
import { readerOf } from "./wire/command-wire.ts";

const edit = fc.record({ kind: fc.constantFrom(...EDIT_KINDS), at: fc.nat(), value: fc.nat() });
const edits = fc.array(edit, { minLength: 1, maxLength: 4 });

/** Bytes that were once those of a value, or never any. */
function anyDamaged(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.tuple(valid, edits).map(([bytes, chosen]) => damaged(bytes, chosen)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) },
  );
}

/** A command of which one number or text is at the edge of what there is. */
const extreme = fc
  .record({
    command,
    which: fc.nat(),
    number: fc.constantFrom(0, 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER),
    text: fc.constantFrom("", "x".repeat(513), "a\u0000b", "\ud800", "日本語", "__proto__"),
  })
  .map(({ command: given, which, number, text }) => {
    const keys = Object.entries(given).filter(([key, value]) => {
      return (
        (typeof value === "number" || typeof value === "string") &&
        !["kind", "recordKind", "reason", "status", "verdict", "idPolicy", "of", "action", "overlap"].includes(key)
      );
    });
    const [key = "atMs", value] = keys[which % keys.length] ?? [];
    return encodeCommand({ ...given, [key]: typeof value === "string" ? text : number });
  });

function attempt<Value>(codes: readonly string[], read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    const { code = "none" } = error as { code?: string };
    if (!codes.includes(code)) throw error;
    return undefined;
  }
}

/** A state with nodes, and runs in every state. */
function livedIn(): WorkflowState {
  const state = new WorkflowState();
  let index = 0;
  const apply = (given: Parameters<WorkflowState["apply"]>[1]) => state.apply(++index, given);
  const types = [
    { type: "order", version: 1 },
    { type: "mail", version: 2 },
  ];
  const bytes = (length: number) => new Uint8Array(length).fill(7);
  for (const nodeId of [1, 2, 3]) apply({ kind: "NodeRegister", nodeId, incarnation: "one", types, atMs: 1 });
  for (const runId of ["a", "b", "c", "d"]) {
    const started = apply({
      kind: "WorkflowStart",
      runId,
      workflowType: "order",
      version: 1,
      input: bytes(20),
      owner: 0,
      atMs: 2,
      seed: bytes(16),
    });
    if (!started.ok || started.kind !== "Started") throw new Error(`run ${runId} did not start`);
    const { owner, epoch } = started;
    for (const key of ["x#0", "y#0"]) {
      apply({ kind: "Checkpoint", runId, path: key, value: bytes(30), atMs: 3, owner, epoch, recordKind: "step" });
    }
    apply({ kind: "Signal", runId, name: "go", payload: bytes(4), signalId: "s1", atMs: 4 });
    for (const updateId of ["u1", "u2", "u3"]) {
      apply({ kind: "Update", runId, updateId, name: "go", input: bytes(5), atMs: 4 });
      if (updateId === "u1") continue;
      const answer = { kind: "UpdateAnswer", runId, updateId, atMs: 4, owner, epoch } as const;
      apply({ ...answer, verdict: "accepted", path: `go#${updateId}`, value: bytes(6) });
      if (updateId === "u3") apply({ ...answer, verdict: "completed", path: "", value: bytes(7) });
    }
    if (runId === "c") {
      apply({ kind: "WorkflowEnd", runId, outcome: { status: "completed", result: bytes(9) }, atMs: 5, owner, epoch });
    }
    if (runId === "d") {
      const error = { name: "Error", message: "why" };
      apply({ kind: "WorkflowEnd", runId, outcome: { status: "failed", error }, atMs: 5, owner, epoch });
    }
  }
  apply({ kind: "Cancel", runId: "b", reason: "asked", atMs: 6 });
  apply({ kind: "NodeLost", nodeId: 3, incarnation: "one", atMs: 7, forget: false });
  state.commit();
  return state;
}

describe("damaged bytes of commands", () => {
  test("are a command or COMMAND_INVALID; what is a command can be applied anywhere, and is the same on every node (workflow-state.ts S1)", () => {
    const anyCommand = fc.oneof(extreme, command.map(encodeCommand), anyDamaged(command.map(encodeCommand)));
    const anyCommands = fc.array(anyCommand, { minLength: 1, maxLength: 16 });
    let taken = 0;
    const property = fc.property(anyCommands, (all) => {
      const [one, other] = [livedIn(), livedIn()];
      let index = one.appliedIndex;
      for (const bytes of all) {
        const read = attempt(["COMMAND_INVALID"], () => decodeCommand(bytes));
        if (read === undefined) continue;
        taken += 1;
        index += 1;
        expect(one.apply(index, read)).toEqual(other.apply(index, decodeCommand(bytes)));
      }
      const snapshot = Buffer.concat([...one.capture(500)]);
      expect(snapshot.equals(Buffer.concat([...other.capture(500)]))).toBe(true);
      // What got in can be given to the next node.
      const decoder = new SnapshotDecoder(new MemoryStateStore().replace());
      decoder.push(snapshot);
      decoder.finish();
    });
    fc.assert(property, { numRuns: 500 });
    expect(taken).toBeGreaterThan(500);
  });

  test("hold only as much memory as they have: a command keeps copies of its own, not of what it claims", () => {
    const claim = new Uint8Array([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07, 0x0a, 0x01, 0x61]);
    expect(() => decodeCommand(claim)).toThrow(expect.objectContaining({ code: "COMMAND_INVALID" }));
  });
});

describe("damaged requests and answers about blobs", () => {
  const blob = fc.record({
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex")),
    length: fc.integer({ min: 1, max: MAX_BLOB_BYTES }),
  });
  const data = fc.uint8Array({ maxLength: 50 });
  const request: fc.Arbitrary<BlobRequest> = fc.oneof(
    fc.record({ kind: fc.constant("offer" as const), blob }),
    fc.record({ kind: fc.constant("part" as const), blob, offset: fc.nat(), data }),
    fc.record({ kind: fc.constant("fetch" as const), blob, offset: fc.nat() }),
  );

  test("are one within their bounds, or COMMAND_INVALID", () => {
    const property = fc.property(anyDamaged(request.map(encodeRequest)), (bytes) => {
      const read = attempt(["COMMAND_INVALID"], () => decodeRequest(bytes));
      if (read === undefined) return;
      expect(read.blob.hash).toMatch(/^[0-9a-f]{64}$/);
      expect(read.blob.length).toBeLessThanOrEqual(MAX_BLOB_BYTES);
      if ("offset" in read) expect(read.offset).toBeLessThanOrEqual(read.blob.length);
      if ("data" in read) expect(read.offset + read.data.length).toBeLessThanOrEqual(read.blob.length);
    });
    fc.assert(property, { numRuns: 2_000 });
    const answer = fc.record({ offset: fc.nat(), isWhole: fc.boolean(), data });
    const answers = fc.property(anyDamaged(answer.map(encodeAnswer)), blob, (bytes, name) => {
      const read = attempt(["COMMAND_INVALID"], () => decodeAnswer(bytes, name));
      if (read !== undefined) expect(read.offset).toBeLessThanOrEqual(name.length);
    });
    fc.assert(answers, { numRuns: 2_000 });
  });
});

describe("a damaged snapshot", () => {
  const whole = Buffer.concat([...livedIn().capture(500)]);

  test("is refused with SNAPSHOT_INVALID, or is one, however it is cut", () => {
    const property = fc.property(anyDamaged(fc.constant(whole)), fc.integer({ min: 1, max: 600 }), (bytes, size) => {
      attempt(["SNAPSHOT_INVALID"], () => {
        const decoder = new SnapshotDecoder(new MemoryStateStore().replace());
        for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
        decoder.finish();
      });
    });
    fc.assert(property, { numRuns: 1500 });
  });

  test("leaves the state in use as it was", async () => {
    const executor = new WorkflowExecutor();
    const content = async function* (bytes: Uint8Array) {
      yield bytes;
    };
    await executor.restore(content(whole), 40);
    const before = Buffer.concat([...executor.state.capture(500)]);
    await expect(executor.restore(content(whole.subarray(0, whole.length - 1)), 41)).rejects.toMatchObject({
      code: "SNAPSHOT_INVALID",
    });
    expect(Buffer.concat([...executor.state.capture(500)]).equals(before)).toBe(true);
    expect(executor.state.appliedIndex).toBe(40);
  });

  test("that claims records of gigabytes is refused, or waits for them without setting memory aside", () => {
    const start = whole.subarray(0, 5);
    const header = [1, 0];
    const records: readonly (readonly number[])[] = [
      [3, 0xff, 0xff, 0xff, 0xff, 0x0f],
      [3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
    ];
    for (const record of records) {
      const decoder = new SnapshotDecoder(new MemoryStateStore().replace());
      const bytes = Buffer.concat([start, Buffer.from(header), Buffer.from(record)]);
      expect(() => decoder.push(bytes)).toThrow(expect.objectContaining({ code: "SNAPSHOT_INVALID" }));
    }
    const decoder = new SnapshotDecoder(new MemoryStateStore().replace());
    const before = process.memoryUsage().arrayBuffers;
    // 200 MiB, which a record may have.
    decoder.push(Buffer.concat([start, Buffer.from(header), Buffer.from([3, 0x80, 0x80, 0x80, 0x64])]));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
    expect(() => decoder.finish()).toThrow(expect.objectContaining({ code: "SNAPSHOT_INVALID" }));
  });
});

describe("damaged records of the state", () => {
  const value = fc.uint8Array({ maxLength: 20 });
  const name = fc.string();
  const number = fc.nat();
  const cases: readonly (readonly [string, fc.Arbitrary<Uint8Array>, (bytes: Uint8Array) => unknown])[] = [
    [
      "header",
      fc
        .record({ clock: number, lastEpoch: number, finished: number, loads: fc.array(fc.tuple(number, number)) })
        .map(({ loads, ...fields }) =>
          encodeHeader({
            ...fields,
            loads: new Map(loads),
            waiting: new Map(),
            salt: "s",
            uptimeMs: 7,
            stuck: 2,
            paused: 0,
            finishedBytes: 0,
            tombstones: 0,
            auditEntries: 0,
            auditBytes: 0,
            delayed: 0,
          }),
        ),
      decodeHeader,
    ],
    [
      "checkpoint",
      fc
        .record({ value, recordedAtMs: number, position: number, epoch: number, kind: fc.constant("step" as const) })
        .map((checkpoint) => encodeHistoryRecord("x#0", checkpoint)),
      (bytes) => decodeHistoryRecord(readerOf(bytes)),
    ],
    [
      "signal",
      fc.record({ number, name, payload: value, atMs: number }).map(encodeSignal),
      (bytes) => decodeSignal(readerOf(bytes), 1),
    ],
    [
      "outcome",
      fc.record({ name, message: name }).map((error) => encodeOutcome({ status: "failed", error })),
      (bytes) => decodeOutcome("failed", bytes),
    ],
    ["number", number.map(encodeNumber), decodeNumber],
    [
      "conditions",
      fc.record({ workflowType: name, owner: number }).map(encodeConditions),
      (bytes) => {
        const conditions = decodeConditions(bytes);
        if (conditions === undefined) throw new WorkflowError("COMMAND_INVALID", "These are no conditions.");
        return conditions;
      },
    ],
    [
      "tombstone",
      fc
        .record({ runId: name, workflowType: name, version: number, startIndex: number, endedAtMs: number })
        .map((run) =>
          written(tombstoneCodec, {
            ...run,
            status: "failed",
            inputDigest: new Uint8Array(0),
            startId: "",
            prunedUptimeMs: 1,
            isDeleted: false,
          }),
        ),
      (bytes) => readFrom(tombstoneCodec, bytes),
    ],
    ["archive", fc.array(value).map(encodeArchive), decodeArchive],
    ["run", value, (bytes) => decodeRun(readerOf(bytes))],
    ["node", value, (bytes) => nodeCodec.read(readerOf(bytes))],
    [
      "stream",
      fc
        .record({ number, name, first: number, next: number, bytes: number, hasEnded: fc.boolean() })
        .map((head) => written(headCodec, head)),
      (bytes) => readFrom(headCodec, bytes),
    ],
    [
      "batch of a stream",
      fc
        .record({
          stream: number,
          offset: number,
          chunks: number,
          bytes: number,
          epoch: number,
          values: fc.array(value),
        })
        .map(({ values, ...batch }) => written(batchCodec, { ...batch, spans: [{ place: "", attempt: 0, values }] })),
      (bytes) => [sizeOfBatch(bytes), readFrom(batchCodec, bytes)],
    ],
    [
      "update",
      fc
        .record({
          id: name,
          name,
          number,
          status: fc.constantFrom(...UPDATE_STATUSES),
          value,
          inputDigest: value,
          place: number,
          position: number,
        })
        .map((update) => written(updateCodec, update)),
      (bytes) => readFrom(updateCodec, bytes),
    ],
    [
      "scope of a stream",
      fc.record({ stream: number, scope: name, chunks: number }).map((scope) => written(scopeCodec, scope)),
      (bytes) => readFrom(scopeCodec, bytes),
    ],
  ];
  const codes = ["COMMAND_INVALID", "SNAPSHOT_INVALID", "STATE_FORMAT_UNSUPPORTED"];

  test.each(cases)("are read or refused: %s", (_what, valid, decode) => {
    const property = fc.property(anyDamaged(valid), (bytes) => {
      attempt(codes, () => decode(bytes));
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

describe("damaged values", () => {
  test("are JSON or VALUE_UNREADABLE", () => {
    const valid = fc.jsonValue().map((value) => encodeValue(value, "it", 1_000_000));
    const property = fc.property(anyDamaged(valid), (bytes) => {
      attempt(["VALUE_UNREADABLE"], () => decodeValue(bytes, "it"));
    });
    fc.assert(property, { numRuns: 1000 });
  });

  test("may nest as deep as a megabyte does: they are read or refused, and cannot be recorded", () => {
    const deep = new TextEncoder().encode(`${"[".repeat(500_000)}${"]".repeat(500_000)}`);
    const read = attempt(["VALUE_UNREADABLE"], () => decodeValue(deep, "it"));
    if (read !== undefined) {
      expect(() => encodeValue(read, "it", 10_000_000)).toThrow(
        expect.objectContaining({ code: "VALUE_NOT_SERIALIZABLE" }),
      );
    }
  });
});
