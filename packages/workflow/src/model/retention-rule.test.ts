import { describe, expect, test } from "vitest";
import { timedRules } from "../runtime/retention.ts";
import { StateLog } from "../testing/state-log.ts";
import { retentionOf, type TimedRule } from "./retention-rule.ts";

const RULES: readonly TimedRule[] = timedRules([
  { outcome: "failed", keepMs: 30 },
  { workflowType: "order", keepMs: 20 },
  { workflowType: "order", outcome: "failed", keepMs: 40 },
  { workflowType: "order", outcome: "failed", keepMs: 99 },
]);

describe("a rule of the retention", () => {
  test.each([
    ["order", "failed", 40],
    ["order", "completed", 20],
    ["mail", "failed", 30],
    ["mail", "cancelled", 10],
  ] as const)("of %s runs that are %s keeps them for %i ms", (workflowType, status, expected) => {
    expect(retentionOf(RULES, { workflowType, status }, 10)).toBe(expected);
  });

  test.each<[what: string, rules: unknown, problem: RegExp]>([
    ["no list", {}, /list of at most 64/],
    ["too many", Array.from({ length: 65 }, () => ({ keepMs: 1 })), /list of at most 64/],
    ["a type that is none", [{ workflowType: 5, keepMs: 1 }], /workflowType/],
    ["an outcome that is none", [{ outcome: "stuck", keepMs: 1 }], /outcome/],
    ["a time that is none", [{ keepMs: Number.POSITIVE_INFINITY }], /keepMs/],
  ])("that says nothing is refused: %s", (_what, rules, problem) => {
    expect(() => timedRules(rules as never)).toThrow(problem);
  });

  test("drops the runs of its type and outcome, oldest first and in pieces, and no others", () => {
    const log = new StateLog();
    log.register(1, [
      { type: "order", version: 1 },
      { type: "mail", version: 1 },
    ]);
    const end = (runId: string, workflowType: string, status: "completed" | "failed"): void => {
      log.start(runId, 1, { workflowType });
      const outcome =
        status === "failed"
          ? ({ status, error: { name: "Error", message: "no" } } as const)
          : ({ status, result: new Uint8Array(0) } as const);
      log.apply({ kind: "WorkflowEnd", runId, outcome, atMs: log.at, owner: 1, epoch: log.epoch(runId) });
    };
    for (let run = 0; run < 1_001; run++) end(`order-${run}`, "order", "completed");
    end("order-failed", "order", "failed");
    end("mail", "mail", "completed");
    const prune = (uptimeMs: number) =>
      log.prune({ uptimeFromMs: log.state.uptimeMs, uptimeMs, retentionMs: 1_000, rules: RULES });
    expect(prune(19)).toMatchObject({ pruned: 0, more: false });
    expect(prune(20)).toMatchObject({ pruned: 1_000, more: true });
    expect(log.state.summary("order-1000")).toBeDefined();
    expect(prune(20)).toMatchObject({ pruned: 1, more: false });
    expect(prune(40)).toMatchObject({ pruned: 1, more: false });
    expect(log.state.counts()).toEqual([{ workflowType: "mail", status: "completed", runs: 1 }]);
    expect(log.prune({ keepAtMost: 0, rules: RULES })).toMatchObject({ pruned: 1 });
    expect(log.state.checkIndex()).toMatchObject({ runs: 0, missing: 0, surplus: 0, miscounted: [] });
  });
});
