import { describe, expect, test } from "vitest";
import type { CallingRun } from "../model/runs/calling-run.ts";
import { NOTHING, restoredFrom, StateLog } from "../testing/state-log.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

/** A run that calls another one. */
function started(): { readonly log: StateLog; readonly caller: CallingRun } {
  const log = new StateLog();
  log.register(1);
  log.start("target");
  log.start("caller");
  const startIndex = log.state.run("caller")?.startIndex ?? 0;
  return {
    log,
    caller: { runId: "caller", startIndex, path: "call#0", chain: [], rootAtMs: 0, epoch: log.epoch("caller") },
  };
}

function call(log: StateLog, caller: CallingRun, updateId = "u") {
  return log.apply({ kind: "Update", runId: "target", updateId, name: "add", input: NOTHING, atMs: log.at, caller });
}

function say(
  log: StateLog,
  verdict: "accepted" | "rejected" | "completed" | "failed",
  value: Uint8Array = NOTHING,
): void {
  const owned = { runId: "target", owner: 1, epoch: log.epoch("target"), atMs: log.at };
  const path = verdict === "accepted" ? "add#u1" : "";
  log.apply({ kind: "UpdateAnswer", ...owned, updateId: "u", verdict, path, value });
}

const owed = (log: StateLog) => log.state.owedAnswers(10).map(({ status, value }) => [status, text(value)]);

/** What the leader does. */
function tell(log: StateLog): unknown {
  const [answer] = log.state.owedAnswers(1);
  if (answer === undefined) throw new Error("no answer is owed");
  const { caller, startIndex: answeredStart, number, status, value } = answer;
  const { runId, startIndex, path } = caller;
  return log.apply({
    kind: "CallAnswered",
    runId,
    startIndex,
    path,
    status,
    value,
    answeredStart,
    number,
    atMs: log.at,
  });
}

const history = (log: StateLog, runId: string) =>
  log.state.run(runId)?.history.map(([path, { kind, value }]) => [path, kind, text(value)]);

describe("the answer to a call of a run", () => {
  test("is remembered when it is a refusal: the next owner of the caller asks again under the same id, and nothing is executed", () => {
    for (const ends of [false, true]) {
      const { log, caller } = started();
      call(log, caller);
      if (ends) log.end("target", 1, log.epoch("target"));
      else say(log, "rejected", bytes('"no"'));
      const [heard] = owed(log);
      expect(heard?.[0]).toBe("failed");
      tell(log);
      expect(call(log, caller)).toMatchObject({ ok: true, status: "failed" });
      expect(log.state.run("target")?.updates ?? []).toEqual([]);
      expect(restoredFrom(log.state).run("target")?.updates ?? []).toEqual([]);
    }
  });

  test("is owed from the answer on until the calling run has it, once, and over snapshots", () => {
    const { log, caller } = started();
    expect(call(log, caller)).toMatchObject({ status: "pending" });
    expect(call(log, caller)).toMatchObject({ status: "pending" });
    say(log, "accepted");
    expect(owed(log)).toEqual([]);
    say(log, "completed", bytes("7"));
    expect(owed(log)).toEqual([["completed", "7"]]);
    const restored = new StateLog(restoredFrom(log.state));
    expect(owed(restored)).toEqual([["completed", "7"]]);
    const first = log.state.owedAnswers(1)[0];
    expect(tell(log)).toMatchObject({ changed: true });
    expect(owed(log)).toEqual([]);
    expect(history(log, "caller")).toEqual([["call#0", "answer", "7"]]);
    // A second leader tells it again.
    if (first === undefined) throw new Error("no answer was owed");
    const { startIndex: answeredStart, number, status, value } = first;
    const again = { ...caller, status, value, answeredStart, number, atMs: log.at };
    const { runId, startIndex, path } = again;
    const told = log.apply({
      kind: "CallAnswered",
      runId,
      startIndex,
      path,
      status,
      value,
      answeredStart,
      number,
      atMs: log.at,
    });
    expect(told).toMatchObject({ changed: false });
    // Who calls again is told at once.
    expect(call(log, caller)).toMatchObject({ status: "completed", value: bytes("7") });
    expect(owed(log)).toEqual([]);
  });

  test("is a failure when the handler fails, the owner refuses, or the run ends", () => {
    for (const [end, expected] of [
      [
        (log: StateLog) => {
          say(log, "accepted");
          say(log, "failed", bytes('{"name":"E"}'));
        },
        '{"name":"E"}',
      ],
      [(log: StateLog) => say(log, "rejected", bytes("no")), "no"],
      [(log: StateLog) => void log.end("target", 1, log.epoch("target")), "WORKFLOW_FINISHED"],
      [
        (log: StateLog) => {
          say(log, "accepted");
          log.end("target", 1, log.epoch("target"));
        },
        "WORKFLOW_FINISHED",
      ],
    ] as const) {
      const { log, caller } = started();
      call(log, caller);
      end(log);
      expect(owed(log)).toEqual([["failed", expect.stringContaining(expected)]]);
      tell(log);
      expect(history(log, "caller")).toEqual([["call#0", "answer-failed", expect.stringContaining(expected)]]);
    }
  });

  test("does not reach a run that has ended, and leaves the outbox all the same", () => {
    const { log, caller } = started();
    call(log, caller);
    log.end("caller", 1, log.epoch("caller"));
    say(log, "accepted");
    say(log, "completed", bytes("7"));
    expect(tell(log)).toMatchObject({ changed: false });
    expect(owed(log)).toEqual([]);
  });

  test("reaches a run once that was retried, whether it comes before the retry, between or after", () => {
    const steps = {
      terminate: (log: StateLog) =>
        log.apply({ kind: "Terminate", runId: "caller", reason: "", requestId: "", atMs: log.at }),
      retry: (log: StateLog) =>
        log.apply({ kind: "Retry", runId: "caller", from: "", reason: "", requestId: "", atMs: log.at }),
      answer: (log: StateLog) => {
        say(log, "accepted");
        say(log, "completed", bytes("7"));
        return tell(log);
      },
    };
    for (const order of ["answer terminate retry", "terminate answer retry", "terminate retry answer"]) {
      const { log, caller } = started();
      call(log, caller);
      for (const step of order.split(" ") as readonly (keyof typeof steps)[]) steps[step](log);
      const isTold = order !== "terminate answer retry";
      expect(history(log, "caller"), order).toEqual(isTold ? [["call#0", "answer", "7"]] : []);
      // The new owner makes the same call, which is answered already.
      const again = call(log, { ...caller, epoch: log.epoch("caller") });
      expect(again, order).toMatchObject({ status: "completed", value: bytes("7") });
      expect(owed(log), order).toEqual([]);
    }
  });

  test("of a run that is terminated or deleted is a failure, once", () => {
    const { log, caller } = started();
    call(log, caller);
    log.apply({ kind: "Terminate", runId: "target", reason: "", requestId: "", atMs: log.at });
    log.apply({ kind: "Delete", runId: "target", atMs: log.at });
    expect(owed(log)).toEqual([["failed", expect.stringContaining("WORKFLOW_FINISHED")]]);
    tell(log);
    expect(owed(log)).toEqual([]);
    expect(history(log, "caller")).toEqual([["call#0", "answer-failed", expect.any(String)]]);
  });

  test("goes along when the called run continues as new", () => {
    const { log, caller } = started();
    call(log, caller);
    const epoch = log.epoch("target");
    log.apply({ kind: "ContinueAsNew", runId: "target", input: NOTHING, atMs: log.at, owner: 1, epoch });
    say(log, "accepted");
    say(log, "completed", bytes("8"));
    tell(log);
    expect(history(log, "caller")).toEqual([["call#0", "answer", "8"]]);
  });
});

test("a call of an owner that was replaced, or of a run that is another one by now, is refused and leaves nothing", () => {
  const { log, caller } = started();
  const stale = { ok: false, code: "STALE_OWNER" };
  expect(call(log, { ...caller, epoch: caller.epoch + 1 })).toMatchObject(stale);
  expect(call(log, { ...caller, startIndex: caller.startIndex + 1 })).toMatchObject(stale);
  expect(call(log, { ...caller, runId: "none" })).toMatchObject(stale);
  const start = { runId: "new", workflowType: "order", version: 1, input: NOTHING, owner: 1, atMs: 1, seed: NOTHING };
  const update = { updateId: "u", name: "add", input: NOTHING, caller: { ...caller, runId: "none" } };
  expect(log.apply({ kind: "StartWith", start, update, afterEnd: true, atMs: 1 })).toMatchObject(stale);
  expect(log.state.run("new")).toBeUndefined();
  expect(log.state.run("target")?.updates).toEqual([]);
});
