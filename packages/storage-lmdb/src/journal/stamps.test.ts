import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GENERATION_LIMIT, generationOf, kindOf, SECTOR_BYTES, SECTOR_CONTENT_BYTES, stampOf } from "./stamps.ts";

const generations = fc.integer({ min: 1, max: GENERATION_LIMIT - 1 });
const places = fc.nat({ max: 2 ** 24 });

function sector(stamp: number, fill = 0): Buffer {
  const bytes = Buffer.alloc(SECTOR_BYTES, fill);
  bytes.writeUInt32LE(stamp, SECTOR_CONTENT_BYTES);
  return bytes;
}

describe("a sector's stamp", () => {
  test("is never 0 (T1) and gives its generation back (T2)", () => {
    fc.assert(
      fc.property(generations, places, (generation, place) => {
        const stamp = stampOf(generation, place);
        expect(stamp).not.toBe(0);
        expect(generationOf(stamp, place)).toBe(generation);
      }),
    );
  });

  test("tells this generation from every earlier one of its file, and from those that cannot be (T2, T3)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 2 ** 30 }), places, fc.nat({ max: 1000 }), (generation, place, back) => {
        const kind = (other: number) => kindOf(sector(stampOf(other, place), 7), 0, place, generation);
        expect(kind(generation)).toBe("current");
        const earlier = generation - 2 * (1 + back);
        if (earlier > 0) expect(kind(earlier)).toBe("stale");
        expect(kind(generation - 1)).toBe("foreign");
        expect(kind(generation + 2)).toBe("foreign");
      }),
    );
  });

  test("is found damaged whichever bit of it flips, and when it belongs to another place", () => {
    for (let bit = 0; bit < 32; bit++) {
      const flipped = (stampOf(12, 40) ^ (1 << bit)) >>> 0;
      expect(kindOf(sector(flipped, 7), 0, 40, 12)).toBe("foreign");
    }
    expect(kindOf(sector(stampOf(12, 41), 7), 0, 40, 12)).toBe("foreign");
  });

  test("of 0 says that the sector was never written only if all of it is 0", () => {
    expect(kindOf(sector(0), 0, 40, 12)).toBe("stale");
    const touched = sector(0);
    touched[100] = 1;
    expect(kindOf(touched, 0, 40, 12)).toBe("foreign");
  });

  test("exists for possible generations only", () => {
    for (const generation of [0, -1, GENERATION_LIMIT]) expect(() => stampOf(generation, 0)).toThrow(/out of range/);
  });
});
