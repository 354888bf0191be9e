import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OperationWriter, visitOperations } from "./operations.ts";

const bytes = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((b) => Buffer.from(b));
const operations = fc.array(fc.tuple(bytes(1, 40), fc.option(bytes(0, 3000), { nil: undefined })), { maxLength: 40 });

function write(writer: OperationWriter, changes: readonly (readonly [Buffer, Buffer | undefined])[]): Buffer {
  writer.reset();
  for (const [key, value] of changes) {
    if (value === undefined) writer.remove(key);
    else {
      const target = writer.buffer(value.length);
      value.copy(target);
      writer.put(key, target);
    }
  }
  return writer.content;
}

function read(content: Buffer): { read: number; changes: (readonly [Buffer, Buffer | undefined])[] } {
  const changes: (readonly [Buffer, Buffer | undefined])[] = [];
  const length = visitOperations(content, ({ key, value }) => {
    changes.push([key, value]);
    return true;
  });
  return { read: length, changes };
}

describe("operations of a round", () => {
  test("come back as they were written, one round after the other", () => {
    const writer = new OperationWriter();
    fc.assert(
      fc.property(operations, (changes) => {
        const content = write(writer, changes);
        expect(writer.count).toBe(changes.length);
        expect(read(content)).toEqual({ read: content.length, changes });
      }),
    );
  });

  test("are read without harm whatever the bytes are, and never beyond them", () => {
    fc.assert(
      fc.property(bytes(0, 300), (garbage) => {
        const { read: length, changes } = read(garbage);
        expect(length).toBeLessThanOrEqual(garbage.length);
        for (const [key] of changes) expect(key.length).toBeGreaterThan(0);
      }),
    );
    const content = Buffer.from(write(new OperationWriter(), [[Buffer.from("key"), Buffer.alloc(100)]]));
    for (let length = 0; length < content.length; length++) expect(read(content.subarray(0, length)).read).toBe(0);
  });

  test("need a key of a possible length", () => {
    const writer = new OperationWriter();
    expect(() => writer.remove(Buffer.alloc(0))).toThrow(/key of 0 bytes/);
    expect(() => writer.remove(Buffer.alloc(256))).toThrow(/key of 256 bytes/);
  });
});
