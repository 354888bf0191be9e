import { existsSync, readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { command } from "../testing/arbitraries.ts";
import { WorkflowCommandSchema } from "../testing/gen/raftoral/raftoral_pb.ts";
import { decodeCommand, encodeCommand } from "./command-codec.ts";
import type { WorkflowCommand } from "./registry.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

describe("the codec of commands", () => {
  test("gives back any command", () => {
    fc.assert(
      fc.property(command, (given) => {
        expect(decodeCommand(encodeCommand(given))).toEqual(given);
      }),
    );
  });

  test("writes the bytes that generated code writes", () => {
    fc.assert(
      fc.property(command, (given) => {
        const encoded = encodeCommand(given);
        const message = fromBinary(WorkflowCommandSchema, encoded);
        expect(reflect(WorkflowCommandSchema, message).getUnknown() ?? []).toEqual([]);
        expect(hex(toBinary(WorkflowCommandSchema, message))).toBe(hex(encoded));
      }),
    );
  });

  test("keeps the first contract's bytes", () => {
    const first: [string, WorkflowCommand][] = [
      [
        "0a150a016112016218012202010228ffffffffffffff0f",
        {
          kind: "WorkflowStart",
          runId: "a",
          workflowType: "b",
          version: 1,
          input: Uint8Array.of(1, 2),
          owner: Number.MAX_SAFE_INTEGER,
          atMs: 0,
          seed: new Uint8Array(0),
        },
      ],
      [
        "12060a01611201ff",
        {
          kind: "WorkflowEnd",
          runId: "a",
          outcome: { status: "completed", result: Uint8Array.of(255) },
          atMs: 0,
          owner: 0,
          epoch: 0,
        },
      ],
      [
        "1a090a01611201621a0107",
        {
          kind: "Checkpoint",
          runId: "a",
          path: "b",
          value: Uint8Array.of(7),
          atMs: 0,
          owner: 0,
          epoch: 0,
          recordKind: "step",
        },
      ],
      [
        "220a0a016110800118022001",
        {
          kind: "OwnerChange",
          runId: "a",
          oldOwner: 128,
          newOwner: 2,
          reason: "load-balancing",
          atMs: 0,
          epoch: 0,
        },
      ],
    ];
    for (const [expected, given] of first) {
      expect(hex(encodeCommand(given))).toBe(expected);
      expect(decodeCommand(bytes(expected))).toEqual(given);
    }
  });

  const vectors = new URL("../../../../../shared/conformance/wire/vectors.json", import.meta.url);
  test.skipIf(!existsSync(vectors))(
    "round-trips the wire vectors of the conformance data, when it is beside the checkout",
    () => {
      const all = JSON.parse(readFileSync(vectors, "utf8")) as { type: string; hex: string }[];
      const ours = all.filter((vector) => vector.type === "raftoral.WorkflowCommand");
      expect(ours.length).toBeGreaterThan(0);
      for (const vector of ours) expect(hex(encodeCommand(decodeCommand(bytes(vector.hex))))).toBe(vector.hex);
    },
  );

  test("skips unknown fields of a known command", () => {
    // Cancel { workflow_id: "a", 100: "x", 101: 5, 102: fixed64, 103: fixed32 }
    const fields = "0a0161a206" + "0178" + "a80605" + "b1060102030405060708" + "bd0601020304";
    const encoded = bytes(`9201${(fields.length / 2).toString(16).padStart(2, "0")}${fields}`);
    expect(decodeCommand(encoded)).toEqual({ kind: "Cancel", runId: "a", reason: "", atMs: 0 });
  });

  test.each([
    ["nothing", ""],
    ["a command of a later version", "fa0100"],
    ["a cut-off field", "1a090a0161"],
    ["a number beyond 2^53-1", "92010a1880808080808080801f"],
    ["a number of eleven bytes", "92010c18ffffffffffffffffffff01"],
    ["a string that is not UTF-8", "9201040a02c328"],
    ["an unknown enum value", "1a0498019001"],
    ["a field of another type", "92010208ff"],
    ["text", Buffer.from("hello").toString("hex")],
  ])("refuses %s with COMMAND_INVALID", (_, text) => {
    expect(() => decodeCommand(bytes(text))).toThrow(expect.objectContaining({ code: "COMMAND_INVALID" }));
  });

  test("refuses arbitrary bytes with COMMAND_INVALID or reads them, and never fails otherwise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
        try {
          decodeCommand(garbage);
        } catch (error) {
          expect(error).toMatchObject({ code: "COMMAND_INVALID" });
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("refuses to write numbers that are no safe integers", () => {
    const prune = { kind: "Prune", keepAtMost: 0, uptimeFromMs: 0, uptimeMs: 0, retentionMs: 0, rules: [] } as const;
    expect(() => encodeCommand({ ...prune, atMs: -1 })).toThrow(expect.objectContaining({ code: "COMMAND_INVALID" }));
    expect(() => encodeCommand({ ...prune, atMs: 1.5 })).toThrow(expect.objectContaining({ code: "COMMAND_INVALID" }));
    expect(() => encodeCommand({ ...prune, atMs: 2 ** 53 })).toThrow(
      expect.objectContaining({ code: "COMMAND_INVALID" }),
    );
  });
});

describe("texts", () => {
  test.each([
    "",
    "a",
    "12345678",
    "123456789abcdef0",
    "1234567é",
    "12345678é",
    "é",
    "x".repeat(47),
    "x".repeat(49),
    "日本語のテキスト",
  ])("come back as they were, wherever they stop being ASCII: %s", (text) => {
    const command = { kind: "Cancel", runId: text, reason: `${text}\u0000${text}`, atMs: 1 } as const;
    expect(decodeCommand(encodeCommand(command))).toEqual(command);
  });
});
