import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OverlapPolicy } from "../../model/schedule.ts";
import { MAX_BUFFERED, MAX_SCHEDULED_RUNS, OVERLAP_POLICIES } from "../../model/schedule.ts";
import { nextStep } from "../../runtime/schedules/next-step.ts";
import { Timing, type TimingSpec } from "../../runtime/schedules/timing.ts";
import { NOTHING, restoredFrom, StateLog } from "../../testing/state-log.ts";
import type { ScheduleFire } from "./schedule-fire.ts";

const MINUTE_MS = 60_000;
const ID = "s";

/** A state with a schedule of every minute, and a leader whose clock is the log's. */
class ScheduledLog extends StateLog {
  readonly timing: Timing;

  constructor(overlap: OverlapPolicy = "skip", spec: Partial<TimingSpec> = {}) {
    super();
    this.at = MINUTE_MS / 2;
    this.register(1);
    this.timing = new Timing({ everyMs: MINUTE_MS, catchUpMs: 10 * MINUTE_MS, catchUp: "all", ...spec });
    expect(this.set(overlap, 0)).toMatchObject({ ok: true, changed: true });
  }

  set(overlap: OverlapPolicy, generation: number, requestId = `set-${this.index}`) {
    const what = { workflowType: "order", version: 0, input: NOTHING, attributes: NOTHING, runTimeoutMs: 0, overlap };
    const settings = { ...what, timing: this.timing.encode() };
    const nextMs = this.timing.nextMs(this.at);
    const next = { nextMs, nextDueMs: this.timing.dueMs(ID, nextMs), atMs: this.at };
    const paused = { isPaused: false, note: "", requestId };
    return this.apply({ kind: "ScheduleSet", scheduleId: ID, generation, settings, ...next, ...paused });
  }

  get schedule() {
    const found = this.state.schedule(ID);
    if (found === undefined) throw new Error("there is no schedule");
    return found;
  }

  /** What the leader would propose. */
  step(nowMs = this.at): ScheduleFire | undefined {
    const [due] = this.state.dueSchedules(nowMs, 1);
    return due === undefined ? undefined : nextStep(due, { timing: this.timing, nowMs, atMs: this.at });
  }

  /** Lets the leader do what is due. Returns the commands. */
  fire(): readonly ScheduleFire[] {
    const fired: ScheduleFire[] = [];
    for (let step = this.step(); step !== undefined; step = this.step()) {
      expect(this.apply(step)).toMatchObject({ ok: true, changed: true });
      fired.push(step);
      if (fired.length > 1000) throw new Error("the leader is never done");
    }
    return fired;
  }

  /** The leader at the next minutes. */
  minutes(count: number): void {
    for (let minute = 0; minute < count; minute++) {
      this.at = (Math.floor(this.at / MINUTE_MS) + 1) * MINUTE_MS;
      this.fire();
    }
  }

  endOldest(): void {
    const [run] = this.schedule.running;
    if (run !== undefined) this.end(run.runId, 1, this.epoch(run.runId));
  }
}

const runIds = (log: ScheduledLog): readonly string[] =>
  log.state.list({ limit: 1000, isAscending: true }).runs.map(({ runId }) => runId);

describe("an occurrence", () => {
  test("is run once, under its own id, however often and late it is proposed (SF1)", () => {
    const log = new ScheduledLog("allow");
    log.at = MINUTE_MS;
    const step = log.step();
    if (step === undefined) throw new Error("nothing is due");
    expect(log.apply(step)).toMatchObject({ changed: true, outcome: "started" });
    expect(log.apply(step)).toMatchObject({ ok: true, changed: false });
    expect(runIds(log)).toEqual(["s/1970-01-01T00:01:00.000Z"]);
    const found = { attributes: [{ name: "scheduleId", in: ["s"] }] };
    expect(log.state.list(found).runs).toHaveLength(1);
    log.set("allow", log.schedule.generation);
    expect(log.apply({ ...step, expectedMs: log.schedule.nextMs })).toMatchObject({ changed: false });
    expect(log.schedule).toMatchObject({ nextMs: 2 * MINUTE_MS, counts: { started: 1 } });
  });

  test("whose run is there is not run again, and what cannot be started says why", () => {
    const log = new ScheduledLog("allow");
    log.start("s/1970-01-01T00:01:00.000Z", 1);
    log.minutes(1);
    expect(log.schedule.counts).toEqual({ started: 0, skipped: 1, missed: 0, failed: 0 });
  });

  test("does not come while the schedule is paused, and goes on after the resumption", () => {
    const log = new ScheduledLog();
    const change = {
      kind: "ScheduleChange",
      scheduleId: ID,
      note: "",
      generation: 0,
      nextMs: 0,
      nextDueMs: 0,
    } as const;
    log.apply({ ...change, action: "pause", note: "holidays", atMs: log.at });
    expect(log.state.agenda().scheduleDueMs).toBe(Number.POSITIVE_INFINITY);
    log.minutes(5);
    expect(runIds(log)).toEqual([]);
    const { generation } = log.schedule;
    const nextMs = log.timing.nextMs(log.at);
    log.apply({ ...change, action: "resume", generation, nextMs, nextDueMs: nextMs, atMs: log.at });
    log.minutes(1);
    expect(log.schedule.counts).toMatchObject({ started: 1, missed: 0 });
    log.apply({ ...change, action: "delete", atMs: log.at });
    expect(log.state.schedule(ID)).toBeUndefined();
    expect(log.state.agenda().scheduleDueMs).toBe(Number.POSITIVE_INFINITY);
    expect(runIds(log)).toHaveLength(1);
  });

  test("outlives a snapshot as it stands", () => {
    const log = new ScheduledLog("buffer-all");
    log.minutes(3);
    const state = restoredFrom(log.state);
    expect(state.schedule(ID)).toEqual(log.schedule);
    expect(state.agenda()).toEqual(log.state.agenda());
    expect(state.dueSchedules(10 * MINUTE_MS, 9)).toEqual(log.state.dueSchedules(10 * MINUTE_MS, 9));
  });
});

describe("while an earlier run goes on (OC1)", () => {
  const outcomes = (overlap: OverlapPolicy, minutes: number): ScheduledLog => {
    const log = new ScheduledLog(overlap);
    log.minutes(minutes);
    return log;
  };

  test("skip: nothing is run until it has ended", () => {
    const log = outcomes("skip", 3);
    expect(log.schedule).toMatchObject({ counts: { started: 1, skipped: 2 }, buffered: [] });
    log.endOldest();
    log.minutes(1);
    expect(log.schedule.counts).toMatchObject({ started: 2, skipped: 2 });
  });

  test("buffer-one and buffer-all: one waits, or all, and begin in their order when it has ended", () => {
    const one = outcomes("buffer-one", 4);
    expect(one.schedule.buffered.map(({ atMs }) => atMs / MINUTE_MS)).toEqual([2]);
    one.endOldest();
    expect(one.state.agenda().scheduleDueMs).toBe(0);
    one.fire();
    expect(one.schedule.running.map(({ atMs }) => atMs / MINUTE_MS)).toEqual([2]);
    const all = outcomes("buffer-all", 4);
    for (const expected of [2, 3, 4]) {
      all.endOldest();
      all.fire();
      expect(all.schedule.running.map(({ atMs }) => atMs / MINUTE_MS)).toEqual([expected]);
    }
  });

  test("cancel-other: it is asked to cancel, and only the latest one waits for that", () => {
    const log = outcomes("cancel-other", 3);
    expect(log.state.summary("s/1970-01-01T00:01:00.000Z")).toMatchObject({
      status: "running",
      cancelReason: expect.any(String),
    });
    expect(log.schedule.buffered.map(({ atMs }) => atMs / MINUTE_MS)).toEqual([3]);
    log.endOldest();
    log.fire();
    expect(log.schedule).toMatchObject({ running: [{ atMs: 3 * MINUTE_MS }], counts: { started: 2, skipped: 1 } });
  });

  test("terminate-other: it ends, and the next one begins", () => {
    const log = outcomes("terminate-other", 3);
    expect(log.schedule.running.map(({ atMs }) => atMs / MINUTE_MS)).toEqual([3]);
    expect(log.state.list({ statuses: ["failed"] }).runs).toHaveLength(2);
  });

  test("allow: they run beside each other, up to a bound", () => {
    const log = outcomes("allow", MAX_SCHEDULED_RUNS + 2);
    expect(log.schedule).toMatchObject({ counts: { started: MAX_SCHEDULED_RUNS, skipped: 2 } });
    expect(log.schedule.running).toHaveLength(MAX_SCHEDULED_RUNS);
  });

  test("only so many may wait", () => {
    const log = outcomes("buffer-all", MAX_BUFFERED + 3);
    expect(log.schedule.buffered).toHaveLength(MAX_BUFFERED);
    expect(log.schedule.counts.skipped).toBe(2);
  });
});

describe("after a time without a leader", () => {
  test("those that are not too old are run, or the last of them, and all others are counted as missed (NS1)", () => {
    const all = new ScheduledLog("allow", { catchUpMs: 3 * MINUTE_MS });
    all.at = 10 * MINUTE_MS;
    all.fire();
    expect(all.schedule).toMatchObject({ counts: { started: 4, missed: 6 }, nextMs: 11 * MINUTE_MS });
    const last = new ScheduledLog("allow", { catchUpMs: 3 * MINUTE_MS, catchUp: "last" });
    last.at = 10 * MINUTE_MS;
    expect(last.fire()).toHaveLength(1);
    expect(last.schedule).toMatchObject({ counts: { started: 1, missed: 9 }, running: [{ atMs: 10 * MINUTE_MS }] });
  });

  test("of a hundred years one step suffices (NS2)", () => {
    const log = new ScheduledLog("allow", { everyMs: 1000, catchUpMs: 0, catchUp: "last" });
    log.at = 100 * 365 * 86_400_000;
    expect(log.fire().length).toBeLessThanOrEqual(2);
    expect(log.schedule.nextMs).toBe(log.at + 1000);
    expect(log.schedule.counts.missed).toBeGreaterThanOrEqual(10_000);
  });

  test("a clock that is set back fires nothing again", () => {
    const log = new ScheduledLog("allow");
    log.at = 5 * MINUTE_MS;
    log.fire();
    const before = runIds(log);
    log.at = MINUTE_MS;
    expect(log.fire()).toEqual([]);
    log.at = 5 * MINUTE_MS;
    expect(log.fire()).toEqual([]);
    expect(runIds(log)).toEqual(before);
  });
});

describe("a trigger and a backfill", () => {
  test("a trigger runs now, once for its id, also of a paused schedule", () => {
    const log = new ScheduledLog("buffer-one");
    const trigger = { kind: "ScheduleTrigger", scheduleId: ID, overlap: "default", atMs: log.at } as const;
    expect(log.apply({ ...trigger, runId: "s/trigger-a" })).toMatchObject({ outcome: "started" });
    expect(log.apply({ ...trigger, runId: "s/trigger-a" })).toMatchObject({ changed: false, outcome: "started" });
    expect(log.apply({ ...trigger, runId: "s/trigger-b" })).toMatchObject({ outcome: "buffered" });
    expect(log.apply({ ...trigger, runId: "s/trigger-c" })).toMatchObject({ outcome: "skipped" });
    expect(log.apply({ ...trigger, runId: "s/trigger-d", overlap: "allow" })).toMatchObject({ outcome: "started" });
    expect(log.apply({ ...trigger, scheduleId: "none", runId: "x" })).toMatchObject({ code: "SCHEDULE_NOT_FOUND" });
  });

  test("a backfill runs each occurrence of its time that was not run, one after the other, without its own going amiss", () => {
    const log = new ScheduledLog("skip");
    log.at = 20 * MINUTE_MS + 1;
    log.set("skip", log.schedule.generation);
    log.start("s/1970-01-01T00:03:00.000Z", 1);
    const { generation } = log.schedule;
    const asked = { kind: "ScheduleBackfill", scheduleId: ID, generation, requestId: "b", atMs: log.at } as const;
    const range = { firstMs: 2 * MINUTE_MS, toMs: 5 * MINUTE_MS };
    expect(log.apply({ ...asked, ...range, overlap: "buffer-all" })).toMatchObject({ changed: true });
    expect(log.apply({ ...asked, ...range, overlap: "buffer-all" })).toMatchObject({ changed: false });
    log.fire();
    expect(log.schedule.backfills).toEqual([]);
    const order: number[] = [];
    for (; log.schedule.running.length > 0; log.fire()) {
      order.push(...log.schedule.running.map(({ atMs }) => atMs / MINUTE_MS));
      log.endOldest();
    }
    expect(order).toEqual([2, 4, 5]);
    expect(log.schedule).toMatchObject({ nextMs: 21 * MINUTE_MS, counts: { started: 3, skipped: 1 } });
  });

  test("a backfill of many waits for room instead of dropping", () => {
    const log = new ScheduledLog("skip");
    log.at = 400 * MINUTE_MS + 1;
    log.set("skip", log.schedule.generation);
    const { generation } = log.schedule;
    const asked = { kind: "ScheduleBackfill", scheduleId: ID, generation, requestId: "b", atMs: log.at } as const;
    log.apply({ ...asked, firstMs: MINUTE_MS, toMs: 300 * MINUTE_MS, overlap: "allow" });
    log.fire();
    expect(log.schedule.running).toHaveLength(MAX_SCHEDULED_RUNS);
    for (let run = 0; run < 300; run++) {
      log.endOldest();
      log.fire();
    }
    expect(log.schedule).toMatchObject({ running: [], backfills: [], counts: { started: 300, skipped: 0 } });
  });
});

test("whatever happens, each occurrence is decided about once, and the entry in the order of time is right (SC1)", () => {
  const action = fc.oneof(
    fc.record({ do: fc.constant("minutes"), count: fc.nat(4) }),
    fc.record({ do: fc.constant("end"), count: fc.nat(2) }),
    fc.record({ do: fc.constant("set"), overlap: fc.constantFrom(...OVERLAP_POLICIES) }),
    fc.record({ do: fc.constant("back"), count: fc.nat(5) }),
    fc.record({ do: fc.constant("stale") }),
    fc.record({ do: fc.constant("trigger"), count: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...OVERLAP_POLICIES), fc.array(action, { maxLength: 40 }), (overlap, actions) => {
      const log = new ScheduledLog(overlap);
      const old: ScheduleFire[] = [];
      for (const each of actions) {
        if (each.do === "minutes" && "count" in each) {
          for (let minute = 0; minute < each.count; minute++) {
            log.at += MINUTE_MS;
            old.push(...log.fire());
          }
        } else if (each.do === "end" && "count" in each) for (let run = 0; run <= each.count; run++) log.endOldest();
        else if (each.do === "set" && "overlap" in each) log.set(each.overlap, log.schedule.generation);
        else if (each.do === "back" && "count" in each) log.at = Math.max(1, log.at - each.count * MINUTE_MS);
        else if (each.do === "stale") for (const step of old) expect(log.apply(step)).toMatchObject({ changed: false });
        else if ("count" in each) {
          const runId = `s/trigger-${each.count}`;
          log.apply({ kind: "ScheduleTrigger", scheduleId: ID, runId, overlap: "default", atMs: log.at });
        }
        const { running, counts } = log.schedule;
        const open = log.state.list({ limit: 1000, statuses: ["running"] }).runs.map(({ runId }) => runId);
        expect([...running.map(({ runId }) => runId)].sort()).toEqual([...open].sort());
        expect(counts.started).toBe(runIds(log).length);
        expect(restoredFrom(log.state).agenda()).toEqual(log.state.agenda());
      }
    }),
    { numRuns: 60 },
  );
});
