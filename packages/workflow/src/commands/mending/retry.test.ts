import { describe, expect, test } from "vitest";
import type { RecordKind } from "../../model/record.ts";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";

/** A run of node 1, and the ways to record for it, to end it and to retry it. */
function started() {
  const log = new StateLog();
  log.register(1);
  log.start("r", 1);
  const record = (path: string, recordKind: RecordKind, value: number) => {
    const owned = { runId: "r", owner: 1, epoch: log.epoch("r"), atMs: log.at };
    return log.apply({ kind: "Checkpoint", ...owned, path, recordKind, value: Uint8Array.of(value) });
  };
  const terminate = () => log.apply({ kind: "Terminate", runId: "r", reason: "", requestId: "", atMs: log.at });
  const retry = (from: string) =>
    log.apply({ kind: "Retry", runId: "r", from, reason: "", requestId: "", atMs: log.at });
  return { log, record, terminate, retry };
}

describe("a retry", () => {
  test("gives a variable the value that it had, also in a state that was restored, and lets it be set again", () => {
    const { log, record, terminate, retry } = started();
    record("v#0", "variable", 1);
    for (let change = 0; change < 5; change++) record(`v#0/set${change}`, "variable", 10 + change);
    record("late#0", "variable", 7);
    terminate();
    expect(retry("v#0/set2")).toMatchObject({ ok: true, changed: true });
    const values = ({ state }: StateLog) =>
      (state.variables({ runId: "r" })?.variables ?? []).map(({ name, value }) => [name, value[0]]);
    expect(values(log)).toEqual([["v", 11]]);
    expect(values(new StateLog(restoredFrom(log.state)))).toEqual([["v", 11]]);
    expect(log.state.summary("r")?.recordCount).toBe(3);
    record("v#0/set2", "variable", 99);
    expect(values(log)).toEqual([["v", 99]]);
    terminate();
    retry("v#0");
    expect(values(log)).toEqual([]);
  });

  test("leaves children alone that had not been told of the end", () => {
    const { log, terminate, retry } = started();
    const { startIndex = 0, epoch = 0 } = log.state.summary("r") ?? {};
    const parent = { runId: "r", startIndex, path: "c#0", closePolicy: "cancel", epoch } as const;
    log.start("c", 1, { parent });
    terminate();
    expect(log.state.hasClosingParents).toBe(true);
    retry("");
    log.apply({ kind: "CloseChildren", atMs: log.at });
    expect(log.state.summary("c")).toMatchObject({ status: "running", cancelReason: undefined });
    expect(log.state.children("r", 10)).toHaveLength(1);
  });

  test("counts failed attempts of steps without a record from the beginning", () => {
    const { log, terminate, retry } = started();
    const progress = (attempts: number) => {
      const owned = { runId: "r", owner: 1, epoch: log.epoch("r"), atMs: log.at };
      const nothing = { nextAtMs: 9, beganAtMs: 1, details: new Uint8Array(0) };
      return log.apply({ kind: "StepProgress", ...owned, path: "a#0", attempts, ...nothing });
    };
    progress(4);
    terminate();
    retry("");
    expect(log.state.progress("r", 10)).toEqual([]);
    expect(progress(1)).toMatchObject({ changed: true });
    expect(log.state.progress("r", 10)).toMatchObject([{ path: "a#0", attempts: 1 }]);
  });
});
