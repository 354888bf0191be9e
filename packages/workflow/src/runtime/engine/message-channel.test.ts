/**
 * The runtime's own tests once more, with a real `MessageChannel` between each runtime and its engine: what crosses is structured-cloneable data
 * (workflow-engine.ts P1), its order is kept (workflow-engine.ts P2), and nothing depends on being in one thread.
 */
import { afterAll, describe, expect, TestRunner, test, vi } from "vitest";
import { workflow } from "../../author/workflow.ts";
import { STUCK_LOSSES } from "../../model/runs/owner-losses.ts";
import type { WorkflowEvent } from "../../state/workflow-event.ts";
import type { EngineNotice } from "./workflow-engine.ts";

// Test files share a worker and its modules (vitest.config.ts). A test file that was imported before registers nothing when it is imported again, and the
// boundary of these worlds must reach no other file: both are of this file's own modules.
vi.resetModules();
const { crossed, METHODS, throughPort } = await import("../../testing/port-engine.ts");
const { boundary, world } = await import("../../testing/workflow-world.ts");
boundary.kind = "message-channel";
afterAll(() => vi.resetModules());

/** Imports a test file, whose tests are tests of this file from then on. */
async function again(file: () => Promise<unknown>): Promise<void> {
  const { tasks } = TestRunner.getCurrentSuite();
  const before = tasks.length;
  await file();
  if (tasks.length === before) throw new Error(`${file} has registered no tests: its module was imported before.`);
}

await again(() => import("../runs.test.ts"));
await again(() => import("../steps.test.ts"));
await again(() => import("../waiting.test.ts"));
await again(() => import("../bodies.test.ts"));
await again(() => import("../bodies-alone.test.ts"));
await again(() => import("../cancellation.test.ts"));
await again(() => import("../cancelled-without-slot.test.ts"));
await again(() => import("../takeover.test.ts"));
await again(() => import("../replay-order.test.ts"));
await again(() => import("../hearing.test.ts"));
await again(() => import("../stray-rejections.test.ts"));
await again(() => import("../streams/streams.test.ts"));
await again(() => import("../children/children.test.ts"));
await again(() => import("../children/generations.test.ts"));
await again(() => import("../children/run-timeouts.test.ts"));
await again(() => import("../mending/pausing.test.ts"));
await again(() => import("../queues/queued-runs.test.ts"));
await again(() => import("../mending/retries.test.ts"));
await again(() => import("../mending/forks.test.ts"));

const EVENTS = Object.keys({
  "run-started": true,
  "record-committed": true,
  "attempt-failed": true,
  "owner-changed": true,
  "run-stuck": true,
  "pause-requested": true,
  "run-retried": true,
  "run-forked": true,
  "schedule-changed": true,
  "signal-buffered": true,
  "stream-appended": true,
  "update-answered": true,
  "update-requested": true,
  "cancel-requested": true,
  "run-ended": true,
  "run-continued": true,
  "node-changed": true,
  "queue-changed": true,
  "lock-changed": true,
  "locks-told": true,
  "runs-pruned": true,
  "type-paused": true,
  "operator-acted": true,
  "state-restored": true,
} satisfies Record<WorkflowEvent["type"], true>);

const NOTICES = Object.keys({
  "leader-changed": true,
  "node-lost": true,
  "node-returned": true,
  "members-changed": true,
} satisfies Record<EngineNotice["type"], true>);

describe("across a message channel", () => {
  test("every read gives what the engine itself gives", async () => {
    const w = world();
    const body = workflow("read", { version: 1 }, async (ctx, input: string) => {
      await ctx.step("s", () => input);
      await ctx.waitFor("go");
    });
    await w.startAll([body]);
    const { id } = await w.runtime(1).startWorkflow(body, "input", { id: "r" });
    await w.runtime(1).signal(id, "other");
    w.cluster.reportReturned(2);
    const { engine } = w.cluster.node(1);
    const port = throughPort(engine);
    try {
      const far = port.engine;
      expect(await far.barrier()).toBe(await engine.barrier());
      expect(await far.run("none")).toBeUndefined();
      expect(await far.run(id)).toEqual(await engine.run(id));
      expect(await far.summary(id)).toEqual(await engine.summary(id));
      expect(await far.end(id)).toEqual(await engine.end(id));
      expect(await far.input(id)).toEqual(await engine.input(id));
      expect(await far.history(id, {})).toEqual(await engine.history(id, {}));
      const streamed = { runId: id, stream: "out" };
      expect(await far.stream(streamed)).toEqual(await engine.stream(streamed));
      expect(await far.variables({ runId: id })).toEqual(await engine.variables({ runId: id }));
      expect(await far.list({})).toEqual(await engine.list({}));
      expect(await far.counts()).toEqual(await engine.counts());
      expect(await far.queues("none")).toEqual(await engine.queues("none"));
      expect(await far.locks({ limit: 1, asks: 1 })).toEqual(await engine.locks({ limit: 1, asks: 1 }));
      expect(await far.runLocks(id)).toEqual(await engine.runLocks(id));
      expect(await far.ownedBy(1)).toEqual(await engine.ownedBy(1));
      expect(await far.progress(id, 1)).toEqual(await engine.progress(id, 1));
      expect(await far.overview()).toEqual(await engine.overview());
    } finally {
      port.close();
    }
  });

  test("an answer comes after the events that led to it", async () => {
    const w = world([1]);
    const { engine } = w.cluster.node(1);
    const port = throughPort(engine);
    const heard: string[] = [];
    try {
      port.engine.subscribe({
        onEvents: (events) => heard.push(...events.map(({ type }) => type)),
        onNotice: () => {},
      });
      const register = { kind: "NodeRegister", nodeId: 1, incarnation: "one", types: [], atMs: 0 } as const;
      await port.engine.propose(register, { timeoutMs: 1000 }).then(() => heard.push("answered"));
      expect(heard).toEqual(["node-changed", "answered"]);
    } finally {
      port.close();
    }
  });

  test("a run that is stuck is heard of", async () => {
    const w = world([1]);
    const port = throughPort(w.cluster.node(1).engine);
    const heard: WorkflowEvent[] = [];
    try {
      port.engine.subscribe({ onEvents: (events) => heard.push(...events), onNotice: () => {} });
      const types = [{ type: "order", version: 1 }];
      const register = (incarnation: string) =>
        port.engine.propose({ kind: "NodeRegister", nodeId: 1, incarnation, types, atMs: 0 });
      await register("first");
      const nothing = new Uint8Array(0);
      const start = { runId: "r", workflowType: "order", version: 1, input: nothing, owner: 1, atMs: 0, seed: nothing };
      await port.engine.propose({ kind: "WorkflowStart", ...start });
      for (let process = 0; process < STUCK_LOSSES; process++) {
        const { epoch = 0 } = (await port.engine.summary("r")) ?? {};
        await port.engine.propose({ kind: "Trial", runId: "r", isOver: false, owner: 1, epoch, atMs: 0 });
        await register(`process-${process}`);
      }
      expect(heard.at(-1)).toMatchObject({ type: "run-stuck", runId: "r", reason: "owner-losses", lastOwner: 1 });
    } finally {
      port.close();
    }
  });

  test("a schedule is read, and heard of", async () => {
    const w = world([1]);
    const port = throughPort(w.cluster.node(1).engine);
    const heard: string[] = [];
    try {
      port.engine.subscribe({
        onEvents: (events) => heard.push(...events.map(({ type }) => type)),
        onNotice: () => {},
      });
      const types = [{ type: "order", version: 1 }];
      await port.engine.propose({ kind: "NodeRegister", nodeId: 1, incarnation: "one", types, atMs: 0 });
      const nothing = new Uint8Array(0);
      const what = { workflowType: "order", version: 1, input: nothing, attributes: nothing, runTimeoutMs: 0 };
      const settings = { ...what, timing: nothing, overlap: "skip" } as const;
      const next = { nextMs: 5, nextDueMs: 5, isPaused: false, note: "", requestId: "", atMs: 0 };
      await port.engine.propose({ kind: "ScheduleSet", scheduleId: "s", generation: 0, settings, ...next });
      expect(heard).toContain("schedule-changed");
      const schedule = await port.engine.schedule("s");
      expect(schedule).toMatchObject({ scheduleId: "s", nextMs: 5, settings });
      expect(await port.engine.schedules(undefined, 9)).toEqual([schedule]);
      expect(await port.engine.dueSchedules(5, 9)).toEqual([schedule]);
      expect((await port.engine.agenda()).scheduleDueMs).toBe(5);
    } finally {
      port.close();
    }
  });

  test("locks and limiters are read, and heard of", async () => {
    const w = world([1]);
    const port = throughPort(w.cluster.node(1).engine);
    const heard: string[] = [];
    try {
      port.engine.subscribe({
        onEvents: (events) => heard.push(...events.map(({ type }) => type)),
        onNotice: () => {},
      });
      const asked = { requestId: "r", value: "", leaseMs: 9_000, onlyNow: false, atMs: 0 };
      const limits = { permits: 0, rateLimit: 1, ratePeriodMs: 1_000, burst: 1 };
      await port.engine.propose({ kind: "LockAcquire", name: "l", limits, ...asked });
      expect(heard).toContain("lock-changed");
      expect(heard).toContain("locks-told");
      expect(await port.engine.locks({ limit: 1, asks: 1 })).toMatchObject([{ name: "l", taken: 1 }]);
      expect(await port.engine.lockToken("l", "r")).toBeGreaterThan(0);
      expect(await port.engine.lockWatch("")).toMatchObject({ leases: [{ requestId: "r" }], buckets: [{ taken: 1 }] });
    } finally {
      port.close();
    }
  });

  test("a child and its end are read", async () => {
    const w = world([1]);
    const port = throughPort(w.cluster.node(1).engine);
    try {
      const types = [{ type: "order", version: 1 }];
      await port.engine.propose({ kind: "NodeRegister", nodeId: 1, incarnation: "one", types, atMs: 0 });
      const nothing = new Uint8Array(0);
      const start = { workflowType: "order", version: 1, input: nothing, owner: 1, atMs: 0, seed: nothing };
      await port.engine.propose({ kind: "WorkflowStart", runId: "p", ...start });
      const { startIndex = 0, epoch = 0 } = (await port.engine.summary("p")) ?? {};
      const call = { runId: "p", startIndex, path: "c#0" } as const;
      const parent = { ...call, closePolicy: "cancel", epoch } as const;
      await port.engine.propose({ kind: "WorkflowStart", runId: "c", ...start, parent });
      expect(await port.engine.children("p", 10)).toEqual([{ runId: "c", workflowType: "order", path: "c#0" }]);
      const ended = { childStart: 3, status: "completed", value: Uint8Array.of(49), atMs: 0 } as const;
      await port.engine.propose({ kind: "ChildEnded", ...call, ...ended });
      expect(await port.engine.record("p", "c#0/result")).toMatchObject({ kind: "child-completed" });
      expect(await port.engine.unreportedEnds(1)).toEqual([]);
      const owned = { runId: "p", owner: 1, epoch, atMs: 0 };
      const heard: string[] = [];
      port.engine.subscribe({
        onEvents: (events) => heard.push(...events.map(({ type }) => type)),
        onNotice: () => {},
      });
      await port.engine.propose({ kind: "Update", runId: "p", updateId: "u", name: "add", input: nothing, atMs: 0 });
      const accepted = { updateId: "u", verdict: "accepted", path: "add#u1", value: nothing } as const;
      await port.engine.propose({ kind: "UpdateAnswer", ...owned, ...accepted });
      await port.engine.propose({ kind: "ContinueAsNew", ...owned, input: nothing });
      expect(heard).toEqual(["update-requested", "record-committed", "update-answered", "run-continued"]);
      const paused = { workflowType: "mail", isPaused: true, reason: "", by: "ada", atMs: 0 };
      await port.engine.propose({ kind: "PauseType", ...paused });
      expect(heard.slice(4)).toEqual(["type-paused", "operator-acted"]);
      expect(await port.engine.pausedTypes()).toMatchObject([{ workflowType: "mail" }]);
      expect(await port.engine.audit({ limit: 1 })).toMatchObject({ entries: [{ action: "pause-type", by: "ada" }] });
      expect(await port.engine.toHandOver("", 1)).toMatchObject({ runs: [] });
    } finally {
      port.close();
    }
  });

  test("everything there is has crossed: every call, event and notice", () => {
    const all = [
      ...METHODS.map((method) => `call ${method}`),
      ...EVENTS.map((type) => `event ${type}`),
      ...NOTICES.map((type) => `notice ${type}`),
    ];
    expect(all.filter((one) => !crossed.has(one))).toEqual([]);
  });
});
