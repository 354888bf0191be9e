import { type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RaftError } from "../errors.ts";
import { type Message, message } from "../message.ts";
import { GENERATED } from "../testing/internal/eraftpb/generated-form.ts";
import {
  ConfChangeSchema,
  ConfChangeV2Schema,
  ConfStateSchema,
  EntrySchema,
  HardStateSchema,
  MessageSchema,
  SnapshotMetadataSchema,
  SnapshotSchema,
} from "../testing/internal/gen/eraftpb/eraftpb_pb.ts";
import {
  anyConfChange,
  anyConfChangeV2,
  anyConfState,
  anyEntry,
  anyHardState,
  anyMessage,
  anySnapshot,
} from "../testing/internal/wire/arbitraries.ts";
import type { Entry } from "../types.ts";
import * as codec from "./index.ts";

interface Case {
  readonly name: string;
  readonly any: fc.Arbitrary<object>;
  encode(value: object): Uint8Array;
  decode(bytes: Uint8Array): object;
  readonly schema: DescMessage;
  /** The same value in the form of the generated code. */
  generated(value: object): Uint8Array;
}

function codecCase<T extends object>(
  name: string,
  any: fc.Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T,
  schema: DescMessage,
  generated: (value: T) => Uint8Array,
): Case {
  return { name, any, encode: encode as Case["encode"], decode, schema, generated: generated as Case["generated"] };
}

const anyMetadata = anySnapshot.map(({ metadata }) => metadata);

const CASES: readonly Case[] = [
  codecCase("Message", anyMessage, codec.encodeMessage, codec.decodeMessage, MessageSchema, GENERATED.message),
  codecCase("Entry", anyEntry, codec.encodeEntry, codec.decodeEntry, EntrySchema, GENERATED.entry),
  codecCase("Snapshot", anySnapshot, codec.encodeSnapshot, codec.decodeSnapshot, SnapshotSchema, GENERATED.snapshot),
  codecCase(
    "SnapshotMetadata",
    anyMetadata,
    codec.encodeSnapshotMetadata,
    codec.decodeSnapshotMetadata,
    SnapshotMetadataSchema,
    GENERATED.metadata,
  ),
  codecCase(
    "ConfState",
    anyConfState,
    codec.encodeConfState,
    codec.decodeConfState,
    ConfStateSchema,
    GENERATED.confState,
  ),
  codecCase(
    "HardState",
    anyHardState,
    codec.encodeHardState,
    codec.decodeHardState,
    HardStateSchema,
    GENERATED.hardState,
  ),
  codecCase(
    "ConfChange",
    anyConfChange,
    codec.encodeConfChange,
    codec.decodeConfChange,
    ConfChangeSchema,
    GENERATED.confChange,
  ),
  codecCase(
    "ConfChangeV2",
    anyConfChangeV2,
    codec.encodeConfChangeV2,
    codec.decodeConfChangeV2,
    ConfChangeV2Schema,
    GENERATED.confChangeV2,
  ),
];

/** Decodes bytes to a value, or returns the code CODEC_INVALID. Any other error fails the test. */
function decoded(decode: () => object): object | "refused" {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RaftError && error.code === "CODEC_INVALID") return "refused";
    throw error;
  }
}

describe.each(CASES)("the codec of $name", ({ any, encode, decode, schema, generated }) => {
  test("decodes what it encoded to an equal value (E1)", () => {
    const property = fc.property(any, (value) => {
      expect(decode(encode(value))).toEqual(value);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("writes the very bytes that generated code writes (E1)", () => {
    const property = fc.property(any, (value) => {
      expect(Buffer.from(encode(value)).toString("hex")).toBe(Buffer.from(generated(value)).toString("hex"));
    });
    fc.assert(property, { numRuns: 1000 });
  });

  test("answers any bytes with a value or CODEC_INVALID (E2)", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      decoded(() => decode(bytes));
    });
    fc.assert(property, { numRuns: 5000 });
  });

  test("answers damaged messages so too, and never takes what generated code refuses (E2)", () => {
    const damage = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }), cut: fc.nat({ max: 3 }) });
    const property = fc.property(any, damage, (value, { at, to, cut }) => {
      const bytes = encode(value).slice();
      if (bytes.length > 0) bytes[at % bytes.length] = to;
      const short = bytes.subarray(0, Math.max(0, bytes.length - cut));
      if (decoded(() => decode(short)) !== "refused") expect(() => fromBinary(schema, short)).not.toThrow();
    });
    fc.assert(property, { numRuns: 10_000 });
  });

  test("passes over fields of later versions", () => {
    const unknown = fc.constantFrom(
      [0xa0, 0x06, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8],
      [0xa2, 0x06, 3, 1, 2, 3],
      [0xa5, 0x06, 1, 2, 3, 4],
    );
    const property = fc.property(any, unknown, (value, field) => {
      const bytes = encode(value);
      expect(decode(Uint8Array.from([...bytes, ...field]))).toEqual(value);
      expect(decode(Uint8Array.from([...field, ...bytes]))).toEqual(value);
    });
    fc.assert(property, { numRuns: 200 });
  });
});

const MAX = Number.MAX_SAFE_INTEGER;

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

describe("refusals", () => {
  test.each([
    ["a term beyond 2^53 - 1", "20 80 80 80 80 80 80 80 10"],
    ["a term of 64 bits", "20 ff ff ff ff ff ff ff ff ff 01"],
    ["a varint of eleven bytes", "20 80 80 80 80 80 80 80 80 80 80 01"],
    ["a varint that is cut off", "20 80"],
    ["a field without a value", "20"],
    ["a length beyond the end", "62 05 01"],
    ["an entry that is longer than the message", "3a 05 10 01"],
    ["an entry whose varint runs out of the entry", "3a 02 10 80 01 20 05"],
    ["a term as bytes", "22 01 05"],
    ["an entry as varint", "38 05"],
    ["a deprecated priority as fixed64", "71 01 02 03 04 05 06 07 08"],
    ["an entry with sync_log as fixed64", "3a 09 29 01 02 03 04 05 06 07 08"],
    ["an unknown message type", "08 13"],
    ["an entry of unknown type", "3a 02 08 03"],
    ["field number 0", "00 01"],
    ["a group", "a3 06 a4 06"],
    ["a priority beyond 2^53", "80 01 ff ff ff ff ff ff ff ff 7f"],
  ])("%s", (_name, bytes) => {
    expect(() => codec.decodeMessage(hex(bytes))).toThrow(expect.objectContaining({ code: "CODEC_INVALID" }));
  });

  test.each([
    ["a negative term", { term: -1 }],
    ["a fraction", { index: 1.5 }],
    ["a number that is not one", { commit: Number.NaN }],
    ["an unsafe integer", { logTerm: MAX + 1 }],
    ["the append thread as receiver", { to: -1 }],
    ["an unsafe priority", { priority: -MAX - 1 }],
  ] as readonly [string, Partial<Message>][])("to write %s", (_name, fields) => {
    expect(() => codec.encodeMessage(message({ type: "MsgApp", ...fields }))).toThrow(
      expect.objectContaining({ code: "CODEC_INVALID" }),
    );
  });

  test.each(["MsgStorageAppend", "MsgStorageApplyResp", "MsgForgetLeader"] as const)("to write %s", (type) => {
    expect(() => codec.encodeMessage(message({ type }))).toThrow(/local to a node/);
  });

  test("local messages from another node, which would move its clock or start its elections", () => {
    for (const type of ["MsgHup", "MsgBeat", "MsgUnreachable", "MsgSnapStatus", "MsgCheckQuorum"] as const) {
      const bytes = codec.encodeMessage(message({ type, from: 2 }));
      expect(codec.decodeMessage(bytes).type).toBe(type);
      expect(() => codec.decodePeerMessage(bytes)).toThrow(expect.objectContaining({ code: "CODEC_INVALID" }));
    }
    const heartbeat = message({ type: "MsgHeartbeat", from: 2, to: 1, term: 3 });
    expect(codec.decodePeerMessage(codec.encodeMessage(heartbeat))).toEqual(heartbeat);
  });
});

describe("details of the format", () => {
  test("negative priorities take ten bytes, as int64 does", () => {
    const bytes = codec.encodeMessage(message({ type: "MsgHup", priority: -1 }));
    expect(Buffer.from(bytes).toString("hex")).toBe("8001ffffffffffffffffff01");
    for (const priority of [-1, 1, -MAX, MAX, -128, 2 ** 31, -(2 ** 35) - 5]) {
      expect(codec.decodeMessage(codec.encodeMessage(message({ type: "MsgHup", priority }))).priority).toBe(priority);
    }
  });

  test("lists are read packed, one by one, and mixed", () => {
    expect(codec.decodeConfState(hex("08 01 0a 02 02 03 08 04")).voters).toEqual([1, 2, 3, 4]);
  });

  test("what old raft-rs versions wrote is read over", () => {
    const entry: Entry = { term: 2, index: 7, type: "EntryNormal", data: Uint8Array.of(9) };
    expect(codec.decodeEntry(hex("10 02 18 07 22 01 09 28 01"))).toEqual(entry);
    expect(codec.decodeMessage(hex("08 08 10 01 70 05"))).toEqual(message({ type: "MsgHeartbeat", to: 1 }));
  });

  test("a submessage that comes in parts is one, as protobuf has it", () => {
    const snapshot = codec.decodeSnapshot(hex("12 02 10 05 12 02 18 03 12 05 0a 03 0a 01 07"));
    expect(snapshot.metadata).toMatchObject({ index: 5, term: 3, confState: { voters: [7] } });
  });

  test("missing metadata are empty ones, and written as missing", () => {
    const snapshot = codec.decodeSnapshot(new Uint8Array(0));
    expect(snapshot.metadata).toMatchObject({ index: 0, term: 0, confState: { voters: [], autoLeave: false } });
    expect(codec.encodeSnapshot(snapshot)).toHaveLength(0);
  });

  test("UpdateNode, which raft-rs does not have, is value 3", () => {
    const change = { id: 1, type: "UpdateNode", nodeId: 2, context: new Uint8Array(0) } as const;
    expect(Buffer.from(codec.encodeConfChange(change)).toString("hex")).toBe("080110031802");
    expect(codec.decodeConfChange(codec.encodeConfChange(change))).toEqual(change);
  });

  test("decoded bytes are views of what was read (E3)", () => {
    const bytes = codec.encodeEntry({ term: 1, index: 1, type: "EntryNormal", data: Uint8Array.of(1, 2, 3) });
    expect(codec.decodeEntry(bytes).data.buffer).toBe(bytes.buffer);
  });

  test("a message can be written into a larger buffer, in exactly the bytes announced", () => {
    const m = message({
      type: "MsgApp",
      to: 300,
      entries: [{ term: 1, index: 2, type: "EntryNormal", data: new Uint8Array(40) }],
    });
    const size = codec.messageSize(m);
    const target = new Uint8Array(size + 10).fill(0xee);
    expect(codec.writeMessage(target, 5, m)).toBe(5 + size);
    expect([...target.subarray(0, 5), ...target.subarray(5 + size)]).toEqual(new Array(10).fill(0xee));
    expect(codec.decodeMessage(target.subarray(5, 5 + size))).toEqual(m);
  });

  test("generated code reads what is written", () => {
    const bytes = codec.encodeMessage(message({ type: "MsgApp", to: 3, term: MAX }));
    const read = fromBinary(MessageSchema, bytes);
    expect([read.to, read.term]).toEqual([3n, BigInt(MAX)]);
    expect(toBinary(MessageSchema, read)).toEqual(bytes);
  });
});
