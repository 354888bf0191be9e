import { expect, test } from "vitest";
import { DEFAULT_RUNTIME_LIMITS, resolveLimits } from "./runtime-options.ts";

test("limits that are left out have their defaults", () => {
  expect(resolveLimits()).toEqual(DEFAULT_RUNTIME_LIMITS);
  expect(resolveLimits({ cancelGraceMs: 2 ** 40 })).toEqual({ ...DEFAULT_RUNTIME_LIMITS, cancelGraceMs: 2 ** 40 });
});

const wrong = [Number.NaN, Number.POSITIVE_INFINITY, 0, -1, "5s" as never, undefined as never];
test.each(Object.keys(DEFAULT_RUNTIME_LIMITS).flatMap((name) => wrong.map((value) => [name, value] as const)))(
  "%s of %s is refused by name",
  (name, value) => {
    expect(() => resolveLimits({ [name]: value })).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringContaining(name) }),
    );
  },
);

test("a limit that is none is refused with those that there are", () => {
  expect(() => resolveLimits({ retention: 5 } as never)).toThrow(/no limit retention.*retentionMs/);
});
