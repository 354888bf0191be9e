import { describe, expect, test } from "vitest";
import { durationMs } from "./duration.ts";

describe("a duration", () => {
  test.each([
    [0, 0],
    [1500, 1500],
    ["250ms", 250],
    ["10s", 10_000],
    ["2d", 172_800_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1500],
    ["1m1ms", 60_001],
  ])("%s is %s ms", (duration, ms) => {
    expect(durationMs(duration)).toBe(ms);
  });

  test.each([
    "",
    "10",
    "s",
    "10 s",
    "-1s",
    "1s junk",
    "1y",
    "1e3s",
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "99999999d",
    undefined as unknown as string,
    {} as unknown as string,
  ])("%s is none", (duration) => {
    expect(() => durationMs(duration)).toThrow(expect.objectContaining({ code: "DURATION_INVALID" }));
  });
});
