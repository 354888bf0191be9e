import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RaftError } from "../errors.ts";
import { anyDamaged } from "../testing/internal/wire/any-damage.ts";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

/** A field of each kind, with its writing and reading. */
type Value =
  | { readonly kind: "uint"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "bytes"; readonly value: Uint8Array };

const anyValue: fc.Arbitrary<Value> = fc.oneof(
  fc.record({ kind: fc.constant("uint" as const), value: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) }),
  fc.record({ kind: fc.constant("bool" as const), value: fc.constant(true) }),
  fc.record({
    kind: fc.constant("string" as const),
    value: fc.string({ minLength: 1, maxLength: 200, unit: "grapheme" }),
  }),
  fc.record({ kind: fc.constant("bytes" as const), value: fc.uint8Array({ minLength: 1, maxLength: 200 }) }),
);
const anyFields = fc.array(fc.record({ field: fc.integer({ min: 1, max: 2 ** 29 - 1 }), value: anyValue }), {
  maxLength: 10,
});
type Fields = typeof anyFields extends fc.Arbitrary<infer T> ? T : never;

function written(fields: Fields): Uint8Array {
  const writer = new WireWriter(1);
  for (const { field, value } of fields) {
    if (value.kind === "uint") writer.uint(field, value.value);
    else if (value.kind === "bool") writer.bool(field, value.value);
    else if (value.kind === "string") writer.string(field, value.value);
    else writer.bytes(field, value.value);
  }
  return writer.finish();
}

/** Reads every field as the kind that `fields` gives, or skips it. */
function readAs(reader: WireReader, fields: Fields): Fields {
  return fields.flatMap(({ value: { kind } }) => {
    const field = reader.field();
    if (field === 0) return [];
    return [{ field, value: { kind, value: reader[kind]() } as Value }];
  });
}

describe("what a writer has written", () => {
  test("a reader gives back, field by field", () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const reader = new WireReader(written(fields));
        expect(readAs(reader, fields)).toEqual(fields);
        expect([reader.field(), reader.atEnd]).toEqual([0, true]);
      }),
    );
  });

  test("is passed over by a reader that knows none of it", () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const reader = new WireReader(written(fields));
        const found: number[] = [];
        for (let field = reader.field(); field !== 0; field = reader.field()) {
          found.push(field);
          reader.skip();
        }
        expect(found).toEqual(fields.map(({ field }) => field));
      }),
    );
  });

  test("leaves out what holds its default (proto3), and keeps an empty submessage", () => {
    const writer = new WireWriter();
    writer.uint(1, 0);
    writer.bool(2, false);
    writer.string(3, "");
    writer.bytes(4, new Uint8Array(0));
    expect(writer.length).toBe(0);
    writer.message(5, new Uint8Array(0));
    expect([...writer.view()]).toEqual([0x2a, 0]);
  });

  test("has no number but safe integers from 0 on", () => {
    for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => new WireWriter().uint(1, value)).toThrow(expect.objectContaining({ code: "CODEC_INVALID" }));
    }
  });
});

describe("a reader", () => {
  test("reads any bytes, or refuses them with its own error (R2)", () => {
    class Refused extends Error {}
    const refuse = (what: string, cause?: unknown) => new Refused(what, { cause });
    fc.assert(
      fc.property(anyFields, anyDamaged(anyFields.map(written)), (fields, bytes) => {
        try {
          readAs(new WireReader(bytes, refuse), fields);
        } catch (error) {
          expect(error).toBeInstanceOf(Refused);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("refuses with CODEC_INVALID where it was given no other refusal", () => {
    const reader = new WireReader(Uint8Array.of(0x08));
    reader.field();
    expect(() => reader.uint()).toThrow(RaftError);
  });

  test.each([
    ["whose string is cut off", (reader: WireReader) => reader.string(), [0x0a, 3, 65]],
    ["whose varint runs past the end", (reader: WireReader) => reader.uint(), [0x08, 0x80]],
    ["whose fixed32 is cut off", (reader: WireReader) => reader.fixed32(), [0x0d, 1, 2, 3]],
    ["whose string is no UTF-8", (reader: WireReader) => reader.string(), [0x0a, 1, 0xff]],
    ["whose field is a list of another type", (reader: WireReader) => reader.uints([]), [0x0d, 1, 2, 3, 4]],
    ["that holds bytes where a number belongs", (reader: WireReader) => reader.uint(), [0x0a, 1, 1]],
    ["that holds bytes where a known integer is passed over", (reader: WireReader) => reader.skipInteger(), [0x0a, 0]],
  ])("refuses a message %s, though bytes follow it (R1)", (_what, read, content) => {
    const outer = new WireWriter();
    outer.message(1, Uint8Array.from(content));
    outer.raw(Uint8Array.of(65, 65, 65, 65, 65));
    const inMessage = new WireReader(outer.finish());
    inMessage.field();
    const own = inMessage.message();
    own.field();
    expect(() => read(own)).toThrow(RaftError);
    const entered = new WireReader(outer.finish());
    entered.field();
    entered.enter();
    entered.field();
    expect(() => read(entered)).toThrow(RaftError);
  });

  test("gives copies of bytes and views of the buffer, as it is asked (R3)", () => {
    const writer = new WireWriter();
    writer.bytes(1, Uint8Array.of(1, 2, 3));
    const buffer = writer.finish();
    const read = (how: "bytes" | "view") => {
      const reader = new WireReader(buffer);
      reader.field();
      return reader[how]();
    };
    expect(read("view").buffer).toBe(buffer.buffer);
    expect(read("bytes").buffer).not.toBe(buffer.buffer);
    expect(read("bytes")).toEqual(read("view"));
  });
});
