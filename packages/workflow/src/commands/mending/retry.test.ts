import { describe, expect, test } from "vitest";
import { type Attribute, encodeAttributes } from "../../model/attributes.ts";
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

/** As {@link started}, for a run that is found by a stage. */
function attributed() {
  const log = new StateLog();
  log.register(1);
  const bytesOf = (values: Record<string, Attribute | null>) => encodeAttributes(new Map(Object.entries(values)));
  log.start("r", 1, { attributes: bytesOf({ stage: "new" }) });
  const terminate = () => log.apply({ kind: "Terminate", runId: "r", reason: "", requestId: "", atMs: log.at });
  const retry = (from: string) =>
    log.apply({ kind: "Retry", runId: "r", from, reason: "", requestId: "", atMs: log.at });
  const set = (path: string, values: Record<string, Attribute | null>) => {
    const owned = { runId: "r", owner: 1, epoch: log.epoch("r"), atMs: log.at };
    return log.apply({ kind: "Checkpoint", ...owned, path, recordKind: "attributes", value: bytesOf(values) });
  };
  const found = ({ state }: StateLog, runId = "r") => [...(state.summary(runId)?.attributes ?? [])];
  return { log, terminate, retry, set, found };
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

  test("gives back the attributes of its place, also in a state that was restored, as often as it is done", () => {
    const { log, terminate, retry, set, found } = attributed();
    set("attributes#0", { stage: "paid", total: 2 });
    set("attributes#1", { stage: "sent" });
    set("attributes#2", { total: null });
    terminate();
    const restored = new StateLog(restoredFrom(log.state));
    const again = { kind: "Retry", runId: "r", from: "attributes#1", reason: "", requestId: "", atMs: log.at } as const;
    for (const each of [log, restored]) {
      expect(each.apply(again)).toMatchObject({ ok: true, changed: true });
      expect(found(each)).toEqual([
        ["stage", "paid"],
        ["total", 2],
      ]);
      expect(each.state.list({ attributes: [{ name: "stage", in: ["paid"] }] }).runs).toHaveLength(1);
      expect(each.state.list({ attributes: [{ name: "stage", in: ["sent"] }] }).runs).toEqual([]);
    }
    set("attributes#1", { stage: "lost" });
    terminate();
    retry("attributes#1");
    expect(found(log)).toEqual([
      ["stage", "paid"],
      ["total", 2],
    ]);
    terminate();
    retry("attributes#0");
    expect(found(log)).toEqual([["stage", "new"]]);
    expect(found(new StateLog(restoredFrom(log.state)))).toEqual([["stage", "new"]]);
  });

  test("without a place keeps the attributes", () => {
    const { log, terminate, retry, set, found } = attributed();
    set("attributes#0", { stage: "paid" });
    terminate();
    retry("");
    expect(found(log)).toEqual([["stage", "paid"]]);
  });
});

describe("a fork", () => {
  test("has the attributes of the records that it copies, and can be retried from one of them", () => {
    const { log, set, found } = attributed();
    set("attributes#0", { stage: "paid" });
    set("attributes#1", { stage: "sent" });
    const fork = { source: "r", from: "attributes#1", hasInput: false, input: new Uint8Array(0), reason: "" } as const;
    log.apply({ kind: "Fork", runId: "f", ...fork, requestId: "", atMs: log.at });
    expect(found(log, "f")).toEqual([["stage", "paid"]]);
    expect(found(log)).toEqual([["stage", "sent"]]);
    log.apply({ kind: "Terminate", runId: "f", reason: "", requestId: "", atMs: log.at });
    const retry = { runId: "f", from: "attributes#0", reason: "", requestId: "", atMs: log.at } as const;
    expect(log.apply({ kind: "Retry", ...retry })).toMatchObject({ ok: true });
    expect(found(log, "f")).toEqual([["stage", "new"]]);
  });
});
