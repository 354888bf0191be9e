import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

const bounds = { minBackoffMs: 50, maxBackoffMs: 2000 };

test("doubles with each failure up to its bound, and half of it is chance", () => {
  const failures = fc.integer({ min: 1, max: 10_000 });
  const chance = fc.integer({ min: 0, max: 1023 });
  const property = fc.property(failures, chance, (count, drawn) => {
    const full = Math.min(2000, 50 * 2 ** (count - 1));
    const wait = backoffMs(count, bounds, { below: () => drawn });
    expect(wait).toBeGreaterThanOrEqual(full / 2);
    expect(wait).toBeLessThan(full);
  });
  fc.assert(property);
  const waits = new Set([0, 300, 600, 900].map((drawn) => backoffMs(3, bounds, { below: () => drawn })));
  expect(waits.size).toBe(4);
});
