import { describe, expect, test } from "vitest";
import { add, countsOf, format, lastCounts } from "./counts.ts";

const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 0, testResults: [] };

describe("counts", () => {
  test("are added and printed in one form, skipped ones only when there are any", () => {
    expect(format(add({ passed: 1, failed: 0, skipped: 0 }, { passed: 2, failed: 1, skipped: 0 }))).toBe(
      "3 passed, 1 failed",
    );
    expect(format({ passed: 3, failed: 0, skipped: 2 })).toBe("3 passed, 0 failed, 2 skipped");
  });

  test("are read back from the last such line of a program", () => {
    expect(lastCounts("1 passed, 0 failed\nmore\n4 passed, 2 failed, 1 skipped\n")).toEqual({
      passed: 4,
      failed: 2,
      skipped: 1,
    });
    expect(lastCounts("Error: not one line of it")).toBeUndefined();
  });

  test("of a green vitest run are those of its report", () => {
    expect(countsOf(report, true)).toEqual({ passed: 3, failed: 0, skipped: 1 });
  });

  test("count a file that did not load as one failure", () => {
    const broken = { ...report, testResults: [{ status: "failed", assertionResults: [] }] };
    expect(countsOf(broken, false).failed).toBe(1);
  });

  test("of a red run are never zero failures", () => {
    expect(countsOf(report, false).failed).toBe(1);
    expect(countsOf(undefined, true).failed).toBe(1);
  });
});
