import { expect, test } from "vitest";
import { COMMANDS, type WorkflowCommand } from "../commands/registry.ts";
import { MUTEX } from "../model/lock.ts";
import { STUCK_LOSSES } from "../model/runs/owner-losses.ts";
import { NO_LIMITS } from "../model/runs/run-queue.ts";
import { encodeConditions } from "../state/lists/conditions-codec.ts";
import { CountingStore } from "../testing/counting-store.ts";
import { StateLog } from "../testing/state-log.ts";
import { WorkflowState } from "./workflow-state.ts";

// What applying a command costs does not grow with what there is: neither with the number of runs, nor with the history of one. Nothing is cached
// here, so that every look at a record counts.

const NOTHING = new Uint8Array(0);
const UPTIME = { uptimeFromMs: 0, uptimeMs: 0, retentionMs: 1, rules: [] };
const END = { status: "completed", result: NOTHING } as const;

interface Filled {
  readonly log: StateLog;
  readonly store: CountingStore;
}

const ASKED = { value: "", leaseMs: 1_000, onlyNow: false, atMs: 1 } as const;

function encodedAsk(name: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ name, limits: MUTEX }));
}

const PROGRESS = { attempts: 1, nextAtMs: 9, beganAtMs: 1, details: NOTHING } as const;

/** Runs on node 1, one of them with a history and as many steps in progress, as many that wait for a type, as many that are delayed, and as many that have ended. */
function filled(runs: number, records: number): Filled {
  const store = new CountingStore();
  const log = new StateLog(new WorkflowState(store, 0));
  loseOwners(log);
  log.register(3, [{ type: "mail", version: 1 }]);
  for (let run = 0; run < runs; run++) log.start(`waits-${run}`, 3, { workflowType: "mail" });
  log.lost(3);
  log.moveAll();
  log.register(1);
  for (let run = 0; run < runs; run++) log.start(`run-${run}`, 1);
  for (let run = 0; run < runs; run++) {
    log.start(`ended-${run}`, 1);
    log.end(`ended-${run}`, 1, log.epoch(`ended-${run}`));
  }
  for (let run = 0; run < runs; run++) log.start(`delayed-${run}`, 1, { delayMs: 1 });
  for (let schedule = 0; schedule < Math.max(10, runs / 10); schedule++) log.apply(scheduleSet(`schedule-${schedule}`));
  log.start("long", 1);
  const epoch = log.epoch("long");
  for (let record = 0; record < records; record++) log.checkpoint("long", `x#${record}`, 1, 1, epoch);
  const owned = { runId: "long", owner: 1, epoch, atMs: 1 };
  for (let step = 0; step < records; step++)
    log.apply({ kind: "StepProgress", ...owned, path: `p#${step}`, ...PROGRESS });
  const digest = new TextEncoder().encode(JSON.stringify({ digest: "d" }));
  log.apply({ kind: "Checkpoint", ...owned, path: "token#0", recordKind: "token", value: digest });
  log.start("timed", 1, { runTimeoutMs: 1 });
  log.start("continues", 1);
  const continues = log.epoch("continues");
  for (let record = 0; record < records; record++) log.checkpoint("continues", `x#${record}`, 1, 1, continues);
  log.start("ends", 1);
  const ends = log.epoch("ends");
  for (let record = 0; record < records; record++) log.checkpoint("ends", `x#${record}`, 1, 1, ends);
  log.start("fails", 1);
  const fails = log.epoch("fails");
  for (let record = 0; record < records; record++) log.checkpoint("fails", `x#${record}`, 1, 1, fails);
  haveChildren(log, runs);
  log.queue("jobs", { concurrency: 1, perKey: 2 });
  log.queue("empty");
  for (let run = 0; run < runs; run++) log.enqueue(`queued-${run}`, "jobs", { key: `key-${run % 300}` });
  for (let ask = 0; ask < Math.min(runs, 9_000); ask++)
    log.apply({ kind: "LockAcquire", name: "busy", limits: MUTEX, requestId: `r-${ask}`, ...ASKED });
  log.register(2);
  log.state.commit();
  return { log, store };
}

/** A parent that has ended, and children of it that run; and one whose child has ended, and that has not heard of it. */
function haveChildren(log: StateLog, children: number): void {
  for (const runId of ["closes", "hears"]) log.start(runId, 1);
  const parentOf = (runId: string) => {
    const { startIndex = 0, epoch = 0 } = log.state.summary(runId) ?? {};
    return { runId, startIndex, path: "child#0", closePolicy: "cancel", epoch } as const;
  };
  const parent = parentOf("closes");
  for (let child = 0; child < children; child++) log.start(`child-${child}`, 1, { parent });
  log.start("heard", 1, { parent: parentOf("hears") });
  for (const runId of ["closes", "heard"]) log.end(runId, 1, log.epoch(runId));
}

/** Two runs whose owners end one after the other: one of them is stuck, the other one a suspect. */
function loseOwners(log: StateLog): void {
  const poison = { type: "poison", version: 1 };
  const register = (process: number): void => void log.register(4, [poison], `process-${process}`);
  register(0);
  for (const runId of ["stuck", "suspect"]) log.start(runId, 4, { workflowType: poison.type });
  for (let process = 1; process <= STUCK_LOSSES; process++) {
    const trial = { owner: 4, epoch: log.epoch("stuck"), isOver: false, atMs: 1 };
    log.apply({ kind: "Trial", runId: "stuck", ...trial });
    register(process);
  }
}

function scheduleSet(scheduleId: string): WorkflowCommand {
  const what = { workflowType: "order", version: 0, input: NOTHING, attributes: NOTHING, runTimeoutMs: 0 } as const;
  const settings = { ...what, timing: NOTHING, overlap: "skip" } as const;
  const at = { nextMs: 60_000, nextDueMs: 60_000, isPaused: false, note: "", requestId: "", atMs: 1 };
  return { kind: "ScheduleSet", scheduleId, generation: 0, settings, ...at };
}

/** One of many schedules: it fires, and all else that may be done to it is done. */
function scheduled(log: StateLog): readonly WorkflowCommand[] {
  const scheduleId = "schedule-7";
  const generation = log.state.schedule(scheduleId)?.generation ?? 0;
  const next = { nextMs: 120_000, nextDueMs: 120_000, atMs: 1 };
  const fire = { expectedMs: 60_000, expectedId: "", missed: 0, occurrenceMs: 60_000, runId: "schedule-7/1", ...next };
  return [
    scheduleSet("schedule-new"),
    { kind: "ScheduleFire", scheduleId, generation, of: "time", ...fire },
    { kind: "ScheduleTrigger", scheduleId, runId: "schedule-7/2", overlap: "buffer-one", atMs: 1 },
    {
      kind: "ScheduleBackfill",
      scheduleId,
      generation,
      firstMs: 1,
      toMs: 9,
      overlap: "allow",
      requestId: "b",
      atMs: 1,
    },
    { kind: "ScheduleChange", scheduleId, action: "pause", note: "", generation, ...next },
    { kind: "ScheduleChange", scheduleId, action: "delete", note: "", generation, ...next },
  ];
}

/** A command of each kind, which finds something to do. */
function commands({ log }: Filled): readonly WorkflowCommand[] {
  const owned = { runId: "long", owner: 1, epoch: log.epoch("long"), atMs: 1 };
  const type = { workflowType: "order", version: 1 };
  const types = [{ type: "order", version: 1 }];
  const startOf = (runId: string): number => log.state.summary(runId)?.startIndex ?? 0;
  const endOf = (runId: string) => {
    const run = log.state.summary(runId);
    return { runId, startIndex: startOf(runId), endIndex: run !== undefined && "endIndex" in run ? run.endIndex : 0 };
  };
  const started = (runId: string) => ({ runId, ...type, input: NOTHING, owner: 1, atMs: 1, seed: NOTHING });
  const holder = log.state.lockToken("busy", "r-0");
  const heard = { runId: "hears", startIndex: startOf("hears"), childStart: startOf("heard") };
  return [
    ...scheduled(log),
    { kind: "WorkflowStart", runId: "new", ...type, input: NOTHING, owner: 1, atMs: 1, seed: NOTHING },
    { kind: "Checkpoint", ...owned, path: "new#0", value: NOTHING, recordKind: "step" },
    { kind: "Checkpoint", ...owned, path: "x#7", value: NOTHING, recordKind: "step" },
    { kind: "Checkpoint", ...owned, path: "lock#0", recordKind: "lock", value: encodedAsk("busy") },
    { kind: "Checkpoint", ...owned, path: "lock#0/released", recordKind: "lock-released", value: NOTHING },
    { kind: "Records", ...owned, records: [{ path: "new#1", recordKind: "step", value: NOTHING }] },
    { kind: "TokenAnswer", runId: "long", path: "token#0", digest: "d", value: NOTHING, isFailure: false, atMs: 1 },
    { kind: "TokenAnswer", runId: "long", path: "token#0", digest: "d", value: NOTHING, isFailure: false, atMs: 1 },
    { kind: "StepProgress", ...owned, path: "p#3", ...PROGRESS, attempts: 2 },
    { kind: "StepProgress", ...owned, path: "late#0", ...PROGRESS },
    { kind: "Checkpoint", ...owned, path: "p#3", value: NOTHING, recordKind: "step" },
    {
      kind: "StreamAppend",
      ...owned,
      parts: [{ name: "out", offset: 0, spans: [{ place: "", attempt: 0, values: [NOTHING, NOTHING] }], ends: true }],
      keepChunks: 1,
      keepBytes: 1,
    },
    { kind: "Update", runId: "long", updateId: "u", name: "add", input: NOTHING, atMs: 1 },
    { kind: "UpdateAnswer", ...owned, updateId: "u", verdict: "accepted", path: "add#u1", value: NOTHING },
    { kind: "UpdateAnswer", ...owned, updateId: "u", verdict: "completed", path: "", value: NOTHING },
    {
      kind: "StartWith",
      start: started("with"),
      signal: { name: "go", payload: NOTHING, signalId: "w" },
      afterEnd: false,
      atMs: 1,
    },
    {
      kind: "StartWith",
      start: started("ended-0"),
      update: { updateId: "w", name: "add", input: NOTHING },
      afterEnd: true,
      atMs: 1,
    },
    { kind: "Signal", runId: "long", name: "go", payload: NOTHING, signalId: "s", atMs: 1 },
    { kind: "SignalReceive", ...owned, path: "go#0", name: "go", timedOut: false },
    { kind: "Cancel", runId: "long", reason: "enough", atMs: 1 },
    {
      kind: "Hold",
      ...owned,
      runId: "run-2",
      epoch: log.epoch("run-2"),
      path: "x#7",
      expected: "a sleep",
      recorded: "a step",
    },
    { kind: "Pause", runId: "run-3", reason: "", isNow: false, atMs: 1, owner: 0, epoch: 0 },
    { kind: "Pause", runId: "run-4", reason: "", isNow: true, atMs: 1, owner: 0, epoch: 0 },
    { kind: "Edit", runId: "run-5", path: "x#0", value: NOTHING, reason: "", atMs: 1 },
    { kind: "Terminate", runId: "run-6", reason: "", requestId: "once", atMs: 1 },
    { kind: "Retry", runId: "run-6", from: "", reason: "", requestId: "twice", atMs: 1 },
    { kind: "Terminate", runId: "fails", reason: "", requestId: "once", atMs: 1 },
    { kind: "Retry", runId: "fails", from: "x#7", reason: "", requestId: "twice", atMs: 1 },
    {
      kind: "Fork",
      runId: "forked",
      source: "run-6",
      from: "",
      hasInput: false,
      input: NOTHING,
      reason: "",
      requestId: "r",
      atMs: 1,
    },
    { kind: "Terminate", runId: "run-7", reason: "", requestId: "once", atMs: 1 },
    { kind: "Delete", runId: "run-7", atMs: 1 },
    { kind: "OwnerChange", runId: "run-1", oldOwner: 1, newOwner: 2, reason: "load-balancing", atMs: 1, epoch: 0 },
    { kind: "WorkflowEnd", ...owned, runId: "ends", epoch: log.epoch("ends"), outcome: END },
    { kind: "ChildEnded", ...heard, path: "child#0", status: "completed", value: NOTHING, atMs: 1 },
    {
      kind: "CallAnswered",
      runId: "long",
      startIndex: startOf("long"),
      path: "call#0",
      status: "completed",
      value: NOTHING,
      answeredStart: 1,
      number: 1,
      atMs: 1,
    },
    { kind: "CloseChildren", atMs: 1 },
    { kind: "TimeOut", runId: "timed", family: startOf("timed"), atMs: 1 },
    { kind: "ContinueAsNew", ...owned, runId: "continues", epoch: log.epoch("continues"), input: NOTHING },
    { kind: "BeginDue", untilMs: 0, delaysUntilMs: 9_000, atMs: 1 },
    { kind: "NodeRegister", nodeId: 2, incarnation: "again", types, atMs: 1 },
    { kind: "NodeLost", nodeId: 1, incarnation: "process-1", atMs: 1, forget: false },
    { kind: "MoveRuns", atMs: 1 },
    { kind: "NodeDrain", nodeId: 2, incarnation: "again", atMs: 1 },
    { kind: "Trial", ...owned, runId: "suspect", owner: 4, epoch: log.epoch("suspect"), isOver: false },
    { kind: "Resume", runId: "stuck", atMs: 1 },
    { kind: "Delete", runId: "ended-1", atMs: 1 },
    { kind: "PauseType", workflowType: "order", isPaused: true, reason: "", atMs: 1 },
    { kind: "PauseType", workflowType: "order", isPaused: false, reason: "", atMs: 1 },
    { kind: "Audit", action: "x", subject: "y", detail: "", reason: "", by: "ada", atMs: 1 },
    {
      kind: "MendRuns",
      action: "delete",
      conditions: encodeConditions({}),
      runs: Array.from({ length: 40 }, (_, run) => ({
        runId: `ended-${run + 400}`,
        startIndex: startOf(`ended-${run + 400}`),
        from: "",
      })),
      reason: "",
      requestId: "",
      atMs: 1,
      by: "ada",
    },
    {
      kind: "HandOver",
      runs: Array.from({ length: 300 }, (_, run) => ({ ...endOf(`ended-${run + 2}`) })),
      atMs: 1,
    },
    { kind: "Prune", keepAtMost: 0, atMs: 1, ...UPTIME },
    { kind: "QueuePause", name: "jobs", isPaused: true, atMs: 1 },
    { kind: "QueueDefine", name: "jobs", limits: NO_LIMITS, isDeclared: false, atMs: 1 },
    { kind: "QueuePause", name: "jobs", isPaused: false, atMs: 1 },
    { kind: "AdmitRuns", queueId: 0, expiredTo: 0, periodMs: 0, atMs: 1 },
    { kind: "QueueDelete", name: "empty", atMs: 1 },
    { kind: "LockAcquire", name: "busy", limits: MUTEX, requestId: "new", ...ASKED },
    { kind: "LockAcquire", name: "free", limits: MUTEX, requestId: "new", ...ASKED },
    { kind: "LockRenew", name: "busy", requestId: "r-0", token: holder, atMs: 1 },
    { kind: "LockDefine", name: "busy", limits: { ...MUTEX, permits: 90_000 }, atMs: 1 },
    { kind: "LocksDue", expired: [], refilled: [], atMs: 1 },
    { kind: "LockRelease", name: "busy", requestId: "", token: holder, atMs: 1 },
    { kind: "LockDelete", name: "busy", atMs: 1 },
  ];
}

/** `settles`: what goes on beside commands, in pieces, is over before each. */
function costs(runs: number, records: number, settles = false): readonly (readonly [kind: string, touched: number])[] {
  const state = filled(runs, records);
  return commands(state).map((command) => {
    for (let idle = 0; settles && idle < 20; idle++) state.log.apply({ kind: "Resume", runId: "none", atMs: 1 });
    state.store.reset();
    expect(state.log.apply(command), command.kind).toMatchObject({ ok: true });
    return [command.kind, state.store.touched] as const;
  });
}

test("applying a command touches as many records with 10,000 runs and 10,000 records as with a twentieth of them", () => {
  // Both are beyond every bound of one command: pieces of 256 and 1,000 runs, archives of 256 records.
  const [some, many] = [costs(1_100, 2_000), costs(10_000, 10_000)];
  expect(many).toEqual(some);
  expect(new Set(some.map(([kind]) => kind))).toEqual(new Set(COMMANDS.map(({ kind }) => kind)));
});

test("with 10 runs and 10 records as with 10,000, where a command is about one run", () => {
  const ofOneRun = new Set(COMMANDS.filter(({ maxRuns }) => maxRuns === 1).map(({ kind }) => kind as string));
  const [few, many] = [costs(10, 10, true), costs(10_000, 10, true)].map((all) =>
    all.filter(([kind]) => ofOneRun.has(kind)),
  );
  expect(many).toEqual(few);
  expect(few?.length).toBeGreaterThan(7);
});
