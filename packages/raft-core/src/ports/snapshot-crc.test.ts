import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinedCrc32 } from "./snapshot-crc.ts";

describe("the CRC of joined bytes", () => {
  test("is the one that running over all of them gives, wherever they are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (parts) => {
        let joined = 0;
        for (const part of parts) joined = joinedCrc32(joined, crc32(part), part.length);
        expect(joined).toBe(crc32(Buffer.concat(parts)));
      }),
    );
  });

  test("holds for lengths whose bits are more than 32 bits can count", () => {
    const zeros = Buffer.alloc(1024 * 1024);
    const head = crc32(Buffer.from("head"));
    let expected = head;
    for (let mebibytes = 0; mebibytes < 1024; mebibytes++) expected = joinedCrc32(expected, crc32(zeros), zeros.length);
    let tail = 0;
    for (let mebibytes = 0; mebibytes < 1024; mebibytes++) tail = joinedCrc32(tail, crc32(zeros), zeros.length);
    expect(joinedCrc32(head, tail, 1024 ** 3)).toBe(expected);
  });
});
