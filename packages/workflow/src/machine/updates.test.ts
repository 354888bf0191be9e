import { describe, expect, test } from "vitest";
import { MAX_ANSWERED_UPDATE_BYTES, MAX_ANSWERED_UPDATES, MAX_OPEN_UPDATES } from "../model/update.ts";
import { NOTHING, restoredFrom, StateLog } from "../testing/state-log.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function started(runId = "r"): StateLog {
  const log = new StateLog();
  log.register(1);
  log.start(runId);
  return log;
}

function ask(log: StateLog, updateId: string, input: Uint8Array = NOTHING, runId = "r") {
  return log.apply({ kind: "Update", runId, updateId, name: "add", input, atMs: log.at });
}

function say(
  log: StateLog,
  updateId: string,
  verdict: "accepted" | "rejected" | "completed" | "failed",
  value: Uint8Array = NOTHING,
) {
  const owned = { runId: "r", owner: 1, epoch: log.epoch("r"), atMs: log.at };
  const path = verdict === "accepted" ? `add#${updateId}` : "";
  return log.apply({ kind: "UpdateAnswer", ...owned, updateId, verdict, path, value });
}

function answer(log: StateLog, updateId: string, value: Uint8Array = NOTHING): void {
  ask(log, updateId);
  say(log, updateId, "accepted");
  say(log, updateId, "completed", value);
}

const open = (log: StateLog) => log.state.run("r")?.updates.map(({ id, isAccepted }) => [id, isAccepted]);

describe("updates of a run", () => {
  test("wait in their order, are accepted into the history, and are answered once", () => {
    const log = started();
    expect(ask(log, "a", bytes("1"))).toMatchObject({ status: "pending" });
    ask(log, "b");
    expect(ask(log, "a", bytes("2"))).toMatchObject({ ok: true, status: "pending", value: NOTHING });
    expect(open(log)).toEqual([
      ["a", false],
      ["b", false],
    ]);
    expect(say(log, "b", "completed")).toMatchObject({ changed: false });
    expect(say(log, "a", "accepted", bytes("record"))).toMatchObject({ kind: "Recorded", recorded: true });
    expect(say(log, "a", "accepted", bytes("other"))).toMatchObject({ kind: "Recorded", recorded: false });
    expect(open(log)).toEqual([
      ["a", true],
      ["b", false],
    ]);
    expect(say(log, "a", "completed", bytes("7"))).toMatchObject({ changed: true });
    expect(say(log, "a", "failed", bytes("8"))).toMatchObject({ changed: false });
    expect(ask(log, "a")).toMatchObject({ status: "completed", value: bytes("7") });
    expect(say(log, "b", "rejected", bytes("no"))).toMatchObject({ changed: true });
    // A refused one leaves no memory.
    expect(ask(log, "b")).toMatchObject({ status: "pending" });
    expect(log.state.run("r")?.history.map(([path, { kind }]) => [path, kind])).toEqual([["add#a", "update"]]);
  });

  test("are bounded while they are open, in number and bytes", () => {
    const log = started();
    for (let update = 0; update < MAX_OPEN_UPDATES; update++) ask(log, `u${update}`);
    expect(ask(log, "more")).toMatchObject({ ok: false, code: "UPDATE_BUFFER_FULL" });
    expect(ask(log, "u0")).toMatchObject({ ok: true });
    say(log, "u0", "rejected");
    expect(ask(log, "more", new Uint8Array(16 * 1024 * 1024))).toMatchObject({ ok: true });
    say(log, "u1", "rejected");
    expect(ask(log, "another", bytes("1"))).toMatchObject({ ok: false, code: "UPDATE_BUFFER_FULL" });
    say(log, "more", "accepted");
    expect(ask(log, "another", bytes("1"))).toMatchObject({ ok: true });
    expect(ask(log, "")).toMatchObject({ code: "COMMAND_INVALID" });
    expect(ask(log, "large", new Uint8Array(16 * 1024 * 1024 + 1))).toMatchObject({ code: "COMMAND_INVALID" });
  });

  test("are remembered up to a number and up to so many bytes, the latest ones", () => {
    const log = started();
    for (let update = 0; update <= MAX_ANSWERED_UPDATES; update++) answer(log, `u${update}`, bytes("1"));
    expect(ask(log, "u1")).toMatchObject({ status: "completed" });
    expect(ask(log, "u0")).toMatchObject({ status: "pending" });
    answer(log, "large", new Uint8Array(MAX_ANSWERED_UPDATE_BYTES + 1));
    expect(ask(log, "large")).toMatchObject({ status: "completed" });
    expect(ask(log, `u${MAX_ANSWERED_UPDATES}`)).toMatchObject({ status: "pending" });
    answer(log, "last");
    expect(ask(log, "large")).toMatchObject({ status: "pending" });
    expect(restoredFrom(log.state).run("r")).toEqual(log.state.run("r"));
  });

  test("that a run's end leaves open are forgotten if they are pending, and have failed if they are accepted", () => {
    const log = started();
    for (const update of ["pending", "accepted"]) ask(log, update);
    say(log, "accepted", "accepted");
    answer(log, "answered", bytes("7"));
    log.end("r", 1, log.epoch("r"));
    expect(ask(log, "pending")).toMatchObject({ code: "WORKFLOW_FINISHED" });
    const failed = ask(log, "accepted");
    expect(failed).toMatchObject({ status: "failed" });
    expect(failed.ok && "value" in failed ? new TextDecoder().decode(failed.value) : "").toContain("WORKFLOW_FINISHED");
    expect(ask(log, "answered")).toMatchObject({ status: "completed", value: bytes("7") });
    const copy = new StateLog(restoredFrom(log.state));
    copy.index = log.index;
    expect(ask(copy, "answered")).toMatchObject({ status: "completed", value: bytes("7") });
  });

  test("go with the run when it continues as new", () => {
    const log = started();
    answer(log, "answered", bytes("7"));
    ask(log, "pending", bytes("1"));
    log.apply({ kind: "ContinueAsNew", runId: "r", input: NOTHING, atMs: 1, owner: 1, epoch: log.epoch("r") });
    expect(log.state.run("r")).toMatchObject({
      history: [],
      updates: [{ id: "pending", input: bytes("1"), number: 2 }],
    });
    expect(ask(log, "answered")).toMatchObject({ status: "completed", value: bytes("7") });
    // What the old generation left is swept, and takes nothing of the new one with it.
    for (let command = 0; command < 10; command++) log.register(1);
    expect(ask(log, "answered")).toMatchObject({ status: "completed", value: bytes("7") });
    expect(open(log)).toEqual([["pending", false]]);
  });

  test("keep a run alive that would end if none waited, and go to its next generation", () => {
    const log = started();
    const idle = () => {
      const by = { atMs: log.at, owner: 1, epoch: log.epoch("r") };
      return log.apply({ kind: "ContinueAsNew", runId: "r", input: NOTHING, orEnd: true, ...by });
    };
    ask(log, "pending", bytes("1"));
    expect(idle()).toMatchObject({ ok: true, kind: "Continued", generation: 2 });
    expect(open(log)).toEqual([["pending", false]]);
    say(log, "pending", "accepted");
    expect(idle()).toMatchObject({ kind: "Continued", generation: 3 });
    say(log, "pending", "completed");
    expect(idle()).toMatchObject({ ok: true, kind: "Done" });
    expect(log.state.run("r")).toMatchObject({ status: "completed" });
    expect(ask(log, "pending")).toMatchObject({ status: "completed" });
  });
});

describe("a message that starts its run", () => {
  const start = { runId: "r", workflowType: "order", version: 1, input: NOTHING, owner: 1, atMs: 1 };
  const seed = (number: number) => Uint8Array.of(number);
  const withUpdate = (
    log: StateLog,
    updateId: string,
    more: { afterEnd?: boolean; seed?: number; input?: string } = {},
  ) => {
    const { afterEnd = false, seed: drawn = 1, input = "" } = more;
    const update = { updateId, name: "add", input: NOTHING };
    const begun = { ...start, seed: seed(drawn), input: bytes(input) };
    return log.apply({ kind: "StartWith", start: begun, update, afterEnd, atMs: log.at });
  };
  const withSignal = (log: StateLog, signalId: string, afterEnd = false) => {
    const signal = { name: "go", payload: bytes("1"), signalId };
    return log.apply({ kind: "StartWith", start: { ...start, seed: seed(1) }, signal, afterEnd, atMs: log.at });
  };

  test("starts it and is delivered as one, once", () => {
    const log = new StateLog();
    expect(withUpdate(log, "u")).toMatchObject({ code: "WORKFLOW_TYPE_UNKNOWN" });
    log.register(1);
    expect(withUpdate(log, "u")).toMatchObject({ ok: true, run: { created: true }, status: "pending" });
    expect(withUpdate(log, "u", { seed: 2 })).toMatchObject({ ok: true, run: { created: false } });
    expect(withUpdate(log, "u2", { seed: 3, input: "another" })).toMatchObject({ run: { created: false } });
    expect(withSignal(log, "s")).toMatchObject({ ok: true });
    expect(withSignal(log, "s")).toMatchObject({ ok: true });
    expect(open(log)).toEqual([
      ["u", false],
      ["u2", false],
    ]);
    expect(log.state.summary("r")).toMatchObject({ signals: ["go"] });
  });

  test("is refused by a run that has ended, unless another run is to follow, which remembers what was delivered", () => {
    const log = started();
    answer(log, "u", bytes("7"));
    withSignal(log, "s");
    log.end("r", 1, log.epoch("r"));
    expect(withSignal(log, "s")).toMatchObject({ ok: true, run: { created: false } });
    expect(withSignal(log, "s2")).toMatchObject({ code: "WORKFLOW_FINISHED" });
    expect(withUpdate(log, "u2")).toMatchObject({ code: "WORKFLOW_FINISHED" });
    expect(withUpdate(log, "u2", { afterEnd: true, seed: 2 })).toMatchObject({ run: { created: true } });
    expect(log.state.size).toMatchObject({ running: 1, finished: 0 });
    // The same one again, and what the run before had.
    expect(withUpdate(log, "u2", { afterEnd: true, seed: 3 })).toMatchObject({ run: { created: false } });
    expect(withUpdate(log, "u", { afterEnd: true })).toMatchObject({ status: "completed", value: bytes("7") });
    expect(withSignal(log, "s", true)).toMatchObject({ ok: true });
    expect(log.state.summary("r")).toMatchObject({ status: "running", signals: [] });
    for (let command = 0; command < 10; command++) log.register(1);
    expect(open(log)).toEqual([["u2", false]]);
    expect(restoredFrom(log.state).run("r")).toEqual(log.state.run("r"));
  });

  test("changes nothing when it is no message, or when the parent of an ended child has not heard of the end", () => {
    const log = started("parent");
    const { startIndex = 0, epoch = 0 } = log.state.summary("parent") ?? {};
    log.start("r", 1, { parent: { runId: "parent", startIndex, path: "c#0", closePolicy: "cancel", epoch } });
    log.end("r", 1, log.epoch("r"));
    expect(withUpdate(log, "u", { afterEnd: true })).toMatchObject({ code: "WORKFLOW_FINISHED" });
    const neither = {
      kind: "StartWith",
      start: { ...start, runId: "new", seed: NOTHING },
      afterEnd: false,
      atMs: 1,
    } as const;
    expect(log.apply(neither)).toMatchObject({ code: "COMMAND_INVALID" });
    const update = { updateId: "", name: "add", input: NOTHING };
    expect(log.apply({ ...neither, update })).toMatchObject({ code: "COMMAND_INVALID" });
    const signal = { name: "go", payload: NOTHING, signalId: "" };
    expect(log.apply({ ...neither, signal })).toMatchObject({ code: "COMMAND_INVALID" });
    expect(log.state.summary("new")).toBeUndefined();
  });
});
