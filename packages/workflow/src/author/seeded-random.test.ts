import { describe, expect, test } from "vitest";
import { SeededRandom } from "./seeded-random.ts";

const seed = Uint8Array.from({ length: 16 }, (_, i) => i);

describe("seeded randomness", () => {
  test("is decided by seed and scope", () => {
    const draw = (bytes: Uint8Array, scope: string): number[] => {
      const random = new SeededRandom(bytes, scope);
      return Array.from({ length: 5 }, () => random.random());
    };
    expect(draw(seed, "a/")).toEqual(draw(seed, "a/"));
    expect(draw(seed, "a/")).not.toEqual(draw(seed, "b/"));
    expect(draw(seed, "")).not.toEqual(draw(Uint8Array.of(1), ""));
  });

  test("spreads evenly over [0, 1)", () => {
    const random = new SeededRandom(seed, "");
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const drawn = random.random();
      expect(drawn >= 0 && drawn < 1).toBe(true);
      const bucket = Math.floor(drawn * 10);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test("makes version 4 UUIDs that do not repeat", () => {
    const random = new SeededRandom(seed, "");
    const ids = Array.from({ length: 1000 }, () => random.uuid());
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
