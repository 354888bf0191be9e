import { describe, expect, test } from "vitest";
import { CountingStore } from "../../testing/counting-store.ts";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";
import { WorkflowState } from "../workflow-state.ts";

function world(nodes = [1, 2, 3]): StateLog {
  const log = new StateLog();
  for (const nodeId of nodes) log.register(nodeId);
  return log;
}

/** The runs of these ids that are let through, by id. */
function through(log: StateLog): readonly string[] {
  const { runs } = log.state.list({ statuses: ["running"], limit: 1_000, isAscending: true });
  return runs.map(({ runId }) => runId);
}

function end(log: StateLog, runId: string): void {
  expect(log.end(runId, log.owner(runId) ?? 0, log.epoch(runId))).toMatchObject({ ok: true });
}

describe("a queue", () => {
  test("lets as many runs through as it may, in order, onto the nodes with the fewest", () => {
    const log = world();
    log.queue("q", { concurrency: 3 });
    for (let run = 0; run < 6; run++) log.enqueue(`run-${run}`, "q");
    expect(through(log)).toEqual(["run-0", "run-1", "run-2"]);
    expect(new Set(["run-0", "run-1", "run-2"].map((runId) => log.owner(runId)))).toEqual(new Set([1, 2, 3]));
    expect(log.state.summary("run-3")).toMatchObject({
      status: "queued",
      owner: 0,
      queue: { waitsFor: "concurrency" },
    });
    expect(log.state.size).toMatchObject({ running: 6, queued: 3, orphaned: 0, toMove: 0 });
    log.state.takeEvents();
    end(log, "run-1");
    expect(through(log)).toEqual(["run-0", "run-2", "run-3"]);
    expect(log.state.takeEvents()).toContainEqual(
      expect.objectContaining({ type: "owner-changed", runId: "run-3", from: 0, reason: "admission" }),
    );
    expect(log.state.summary("run-3")).toMatchObject({ attempt: 1 });
  });

  test("is as it was on a restored node", () => {
    const log = world();
    log.queue("q", { concurrency: 1, perKey: 1 });
    for (let run = 0; run < 6; run++) log.enqueue(`run-${run}`, "q", { key: run < 3 ? "a" : "b", dedupeKey: `${run}` });
    const restored = new StateLog(restoredFrom(log.state));
    restored.index = log.index;
    for (const each of [log, restored]) end(each, "run-0");
    expect(through(restored)).toEqual(["run-3"]);
    expect(through(log)).toEqual(through(restored));
    expect([log.state.checkQueues(), restored.state.checkQueues()]).toEqual([[], []]);
  });

  test("that does not exist is refused, and one with runs is not deleted", () => {
    const log = world();
    expect(log.enqueue("a", "none")).toMatchObject({ ok: false, code: "QUEUE_NOT_FOUND" });
    log.queue("q");
    log.enqueue("a", "q");
    const gone = { kind: "QueueDelete", name: "q", atMs: 1 } as const;
    expect(log.apply(gone)).toMatchObject({ ok: false, code: "QUEUE_NOT_EMPTY" });
    end(log, "a");
    expect(log.apply(gone)).toMatchObject({ ok: true, changed: true });
    expect(log.apply(gone)).toMatchObject({ ok: true, changed: false });
    expect(log.state.queues()).toEqual([]);
  });

  test("is kept while a run of it is paused or stuck, and a run that is retried after it was deleted is in none", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    for (const runId of ["paused", "failed"]) log.enqueue(runId, "q");
    const gone = { kind: "QueueDelete", name: "q", atMs: 1 } as const;
    log.apply({ kind: "Pause", runId: "paused", reason: "no", isNow: true, atMs: 1, owner: 0, epoch: 0 });
    const failed = { runId: "failed", owner: log.owner("failed") ?? 0, epoch: log.epoch("failed"), atMs: log.at };
    log.apply({ kind: "WorkflowEnd", ...failed, outcome: { status: "failed", error: { name: "E", message: "no" } } });
    expect(log.apply(gone)).toMatchObject({ ok: false, code: "QUEUE_NOT_EMPTY" });
    const restored = new StateLog(restoredFrom(log.state));
    restored.index = log.index;
    for (const each of [log, restored]) {
      each.apply({ kind: "Cancel", runId: "paused", reason: "no", atMs: 1 });
      if (each.owner("paused") !== 0) end(each, "paused");
      expect(each.apply(gone)).toMatchObject({ ok: true, changed: true });
      each.apply({ kind: "Retry", runId: "failed", from: "", reason: "", requestId: "", atMs: each.at });
      expect(each.state.summary("failed")?.queue).toBeUndefined();
      each.queue("q", { concurrency: 1 });
      each.enqueue("next", "q");
      expect(through(each)).toEqual(["failed", "next"]);
      expect([each.state.checkQueues(), each.state.checkIndex()]).toMatchObject([[], { missing: 0, surplus: 0 }]);
    }
  });

  test("that is paused lets nothing through, and what is through goes on", () => {
    const log = world();
    log.queue("q", { concurrency: 2 });
    log.enqueue("a", "q");
    log.apply({ kind: "QueuePause", name: "q", isPaused: true, atMs: 1 });
    log.enqueue("b", "q");
    end(log, "a");
    expect([through(log), log.state.summary("b")?.queue?.waitsFor]).toEqual([[], "paused"]);
    log.apply({ kind: "QueuePause", name: "q", isPaused: false, atMs: 1 });
    expect(through(log)).toEqual(["b"]);
  });

  test("with other limits lets more through in pieces, and with lower ones none before there are fewer", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    for (let run = 0; run < 700; run++) log.enqueue(`run-${run}`, "q");
    log.queue("q");
    // A command lets a bounded number through; the rest is in the state.
    expect(through(log).length).toBe(17);
    expect(log.state.queueDuties.isDue).toBe(true);
    expect(log.admitAll()).toBe(3);
    expect(log.state.queues()).toMatchObject([{ running: 700, waiting: 0 }]);
    log.queue("q", { concurrency: 2 });
    log.enqueue("late", "q");
    for (let run = 0; run < 698; run++) end(log, `run-${run}`);
    expect(log.state.summary("late")?.status).toBe("queued");
    end(log, "run-698");
    expect(log.state.summary("late")?.status).toBe("running");
  });

  test("takes what code declares when that has changed, and not when a node restarts", () => {
    const log = world();
    const limit = () => log.state.queues("q")[0]?.limits.concurrency;
    log.queue("q", { concurrency: 5 }, true);
    log.queue("q", { concurrency: 1 });
    log.queue("q", { concurrency: 5 }, true);
    expect(limit()).toBe(1);
    log.queue("q", { concurrency: 7 }, true);
    expect(limit()).toBe(7);
  });
});

describe("keys and priorities", () => {
  test("a key has as many runs as one may, and the others go before what it has left", () => {
    const log = world();
    log.queue("q", { concurrency: 4, perKey: 2 });
    for (let run = 0; run < 5; run++) log.enqueue(`a-${run}`, "q", { key: "a" });
    log.enqueue("b-0", "q", { key: "b" });
    log.enqueue("none-0", "q");
    log.enqueue("none-1", "q");
    expect(through(log)).toEqual(["a-0", "a-1", "b-0", "none-0"]);
    expect(log.state.summary("a-2")?.queue?.waitsFor).toBe("concurrency");
    end(log, "none-0");
    expect(through(log)).toEqual(["a-0", "a-1", "b-0", "none-1"]);
    end(log, "none-1");
    expect(log.state.summary("a-2")?.queue?.waitsFor).toBe("key");
    log.queue("q", { concurrency: 4, perKey: 3 });
    expect(through(log)).toEqual(["a-0", "a-1", "a-2", "b-0"]);
  });

  test("keys take turns, however many runs one of them has", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    log.enqueue("first", "q");
    for (let run = 0; run < 4; run++) log.enqueue(`a-${run}`, "q", { key: "a" });
    for (let run = 0; run < 2; run++) log.enqueue(`b-${run}`, "q", { key: "b" });
    log.enqueue("c-0", "q", { key: "c" });
    const order: string[] = [];
    for (let [runId] = through(log); runId !== undefined; [runId] = through(log)) {
      order.push(runId);
      end(log, runId);
      // One that comes again and again does not go before those that waited.
      if (order.length === 3) log.enqueue("d-0", "q", { key: "d" });
    }
    expect(order).toEqual(["first", "a-0", "b-0", "c-0", "d-0", "a-1", "b-1", "a-2", "a-3"]);
  });

  test("a higher priority goes first, over keys too, and order holds within one", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    log.enqueue("first", "q");
    log.enqueue("low", "q", { priority: 999 });
    log.enqueue("a-0", "q", { key: "a" });
    log.enqueue("a-1", "q", { key: "a", priority: 1_500 });
    log.enqueue("b-0", "q", { key: "b", priority: 1_500 });
    log.enqueue("a-2", "q", { key: "a", priority: 1_500 });
    const order: string[] = [];
    for (let [runId] = through(log); runId !== undefined; [runId] = through(log)) {
      order.push(runId);
      end(log, runId);
    }
    expect(order).toEqual(["first", "a-1", "b-0", "a-2", "a-0", "low"]);
  });
});

describe("nodes", () => {
  test("have as many runs as one may have, and a lost one's keep their place until there is room", () => {
    const log = world();
    log.queue("q", { perNode: 2, concurrency: 10 });
    for (let run = 0; run < 8; run++) log.enqueue(`run-${run}`, "q");
    expect(through(log).length).toBe(6);
    expect(log.state.summary("run-6")?.queue?.waitsFor).toBe("node");
    log.lost(3);
    log.moveAll();
    const onNone = through(log).filter((runId) => log.owner(runId) === 0);
    expect(onNone).toHaveLength(2);
    expect(log.state.size).toMatchObject({ orphaned: 2, queued: 2, toMove: 0 });
    // Room is for those that were let through.
    const [mine = ""] = through(log).filter((runId) => log.owner(runId) === 1);
    end(log, mine);
    expect(onNone.filter((runId) => log.owner(runId) === 1)).toHaveLength(1);
    expect(log.state.summary("run-6")?.status).toBe("queued");
    log.register(3, undefined, "again");
    expect(log.state.queues()).toMatchObject([{ running: 6, waiting: 1 }]);
    expect(through(log).every((runId) => log.owner(runId) !== 0)).toBe(true);
  });

  test("that cannot execute what is first do not hold up what follows", () => {
    const log = world([1]);
    log.register(2, [{ type: "mail", version: 1 }]);
    log.queue("q", { concurrency: 2 });
    log.lost(2, "process-2");
    log.enqueue("mail", "q", {}, { workflowType: "mail" });
    log.enqueue("order", "q");
    expect(through(log)).toEqual(["order"]);
    expect(log.state.summary("mail")?.queue?.waitsFor).toBe("node");
    log.register(2, [{ type: "mail", version: 1 }], "again");
    expect(through(log)).toEqual(["mail", "order"]);
  });

  test("are not given more runs of a queue by hand, nor runs that wait", () => {
    const log = world([1, 2]);
    log.queue("q", { perNode: 1 });
    for (const runId of ["a", "b", "c"]) log.enqueue(runId, "q");
    const move = (runId: string, newOwner: number) => {
      const oldOwner = log.owner(runId) ?? 0;
      return log.apply({ kind: "OwnerChange", runId, oldOwner, newOwner, reason: "load-balancing", atMs: 1, epoch: 0 });
    };
    expect(move("a", 3 - (log.owner("a") ?? 0))).toMatchObject({ ok: false, code: "OWNER_INCAPABLE" });
    expect(move("c", 1)).toMatchObject({ ok: false, code: "OWNER_INCAPABLE" });
  });
});

describe("a rate", () => {
  test("lets through as many as it may until a leader says that the window is over", () => {
    const log = world();
    log.queue("q", { rateLimit: 2, ratePeriodMs: 1_000 });
    for (let run = 0; run < 6; run++) log.enqueue(`run-${run}`, "q");
    const [{ queueId = 0 } = {}] = log.state.queueDuties.windows;
    expect(through(log)).toEqual(["run-0", "run-1"]);
    end(log, "run-0");
    log.at += 1_000_000;
    log.admitAll();
    // No clock says anything of it.
    expect(through(log)).toEqual(["run-1"]);
    log.admitAll({ queueId, expiredTo: 1, periodMs: 999 });
    expect(through(log)).toEqual(["run-1"]);
    log.admitAll({ queueId, expiredTo: 1, periodMs: 1_000 });
    expect(through(log)).toEqual(["run-1", "run-2"]);
    // Said twice, and said of runs that there are not yet.
    log.admitAll({ queueId, expiredTo: 1, periodMs: 1_000 });
    log.admitAll({ queueId, expiredTo: 9, periodMs: 1_000 });
    expect(log.state.queueDuties.windows).toMatchObject([{ admitted: 3, expired: 1, isRateClosed: true }]);
  });
});

describe("a dedupe key", () => {
  test("gives the run that has it as long as that has not ended", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    log.enqueue("a", "q", { dedupeKey: "d" });
    log.enqueue("b", "q", { dedupeKey: "e" });
    expect(log.enqueue("c", "q", { dedupeKey: "d" })).toMatchObject({ runId: "a", created: false });
    expect(log.enqueue("d", "q", { dedupeKey: "e" })).toMatchObject({ runId: "b", created: false });
    expect(log.enqueue("e", "q", { dedupeKey: "e" }, { workflowType: "mail" })).toMatchObject({ ok: false });
    end(log, "a");
    expect(log.enqueue("c", "q", { dedupeKey: "d" })).toMatchObject({ runId: "c", created: true });
  });

  test("of a run that is put off replaces its input, and puts it off no longer than it may", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    const put = (runId: string, value: number) =>
      log.enqueue(runId, "q", { dedupeKey: "d", debounceMs: 100, debounceMaxMs: 250 }, { input: Uint8Array.of(value) });
    expect(put("a", 1)).toMatchObject({ runId: "a", created: true, owner: 0 });
    expect(log.state.summary("a")).toMatchObject({ status: "queued", queue: { waitsFor: "delay" } });
    for (let again = 2; again <= 4; again++) {
      log.at += 80;
      expect(put(`again-${again}`, again)).toMatchObject({ runId: "a", created: false });
      log.admitAll();
      expect(through(log)).toEqual([]);
    }
    expect(log.state.queueDuties.nextDueAtMs).toBe(1_250);
    log.at = 1_250;
    log.admitAll();
    expect(through(log)).toEqual(["a"]);
    expect(log.state.input("a")).toEqual(Uint8Array.of(4));
    // What comes now is another run.
    expect(put("b", 5)).toMatchObject({ runId: "b", created: true });
  });
});

describe("a run in a queue", () => {
  const start = { runTimeoutMs: 100 };

  test("is cancelled at once while it waits, and makes room when it ends in any way", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    for (const runId of ["a", "b", "c", "d", "e"]) log.enqueue(runId, "q");
    log.apply({ kind: "Cancel", runId: "b", reason: "no", atMs: 1 });
    expect(log.state.end("b")?.ended?.outcome).toEqual({ status: "cancelled", reason: "no" });
    log.apply({ kind: "Terminate", runId: "a", reason: "no", requestId: "r", atMs: 1 });
    expect(through(log)).toEqual(["c"]);
    log.start("c", 1, { idPolicy: "replace", startId: "s" });
    expect(through(log)).toEqual(["d", "c"]);
    log.apply({ kind: "Terminate", runId: "d", reason: "no", requestId: "r", atMs: 1 });
    expect(through(log)).toEqual(["e", "c"]);
  });

  test("leaves its place while it is paused, and waits ahead of later ones when it is resumed", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    for (const runId of ["a", "b", "c"]) log.enqueue(runId, "q");
    log.apply({ kind: "Pause", runId: "a", reason: "no", isNow: true, atMs: 1, owner: 0, epoch: 0 });
    expect(through(log)).toEqual(["b"]);
    log.apply({ kind: "Resume", runId: "a", atMs: 1 });
    expect(log.state.summary("a")).toMatchObject({ status: "queued", owner: 0 });
    end(log, "b");
    expect(through(log)).toEqual(["a"]);
  });

  test("keeps its place when it continues as new, and comes to the queue again when it is retried", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    for (const runId of ["a", "b"]) log.enqueue(runId, "q");
    const by = () => ({ runId: "a", owner: log.owner("a") ?? 0, epoch: log.epoch("a"), atMs: log.at });
    log.apply({ kind: "ContinueAsNew", ...by(), input: new Uint8Array(0) });
    expect(through(log)).toEqual(["a"]);
    log.apply({ kind: "WorkflowEnd", ...by(), outcome: { status: "failed", error: { name: "E", message: "no" } } });
    expect(through(log)).toEqual(["b"]);
    log.apply({ kind: "Retry", runId: "a", from: "", reason: "", requestId: "", atMs: log.at });
    expect(log.state.summary("a")?.status).toBe("queued");
    end(log, "b");
    expect(through(log)).toEqual(["a"]);
    expect(log.state.checkQueues()).toEqual([]);
  });

  test("has its time from when it is let through", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    log.enqueue("a", "q", {}, start);
    log.enqueue("b", "q", {}, start);
    expect(log.state.summary("a")?.deadlineAtMs).toBe(1_100);
    expect(log.state.summary("b")?.deadlineAtMs).toBe(0);
    log.at = 5_000;
    expect(log.apply({ kind: "MoveRuns", atMs: log.at })).toMatchObject({ ok: true });
    end(log, "a");
    expect(log.state.summary("b")?.deadlineAtMs).toBe(5_100);
  });

  test("is found by its queue, and says where it stands", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    for (const runId of ["a", "b", "c"]) log.enqueue(runId, "q", { key: "k" });
    log.start("other");
    const ids = (statuses?: readonly ("queued" | "running")[]) =>
      log.state.list({ queue: "q", ...(statuses && { statuses }), isAscending: true }).runs.map(({ runId }) => runId);
    expect([ids(), ids(["queued"]), ids(["running"])]).toEqual([["a", "b", "c"], ["b", "c"], ["a"]]);
    expect(log.state.summary("c")?.queue).toMatchObject({ name: "q", key: "k", position: 2 });
    expect(log.state.queues("q")).toMatchObject([{ waiting: 2, oldestAtMs: 1_000, closedBy: "concurrency" }]);
    expect(log.state.list({ owner: 0 }).runs.map(({ runId }) => runId)).toEqual(["c", "b"]);
  });
});

test("the work of a start, of an end and of a change of limits does not grow with what waits, nor with its keys", () => {
  const costs = [500, 4_000].map((runs) => {
    const store = new CountingStore();
    const log = new StateLog(new WorkflowState(store, 0));
    for (const nodeId of [1, 2, 3]) log.register(nodeId);
    log.queue("q", { concurrency: 3, perKey: 1 });
    for (let run = 0; run < runs; run++) log.enqueue(`run-${run}`, "q", { key: `key-${run % (runs / 2)}` });
    log.state.commit();
    const cost = (apply: () => void): number => {
      store.reset();
      apply();
      log.state.commit();
      return store.touched;
    };
    return {
      start: cost(() => log.enqueue("new", "q", { key: "key-7" })),
      end: cost(() => end(log, "run-0")),
      cancel: cost(() => log.apply({ kind: "Cancel", runId: "run-99", reason: "", atMs: 1 })),
      limits: cost(() => log.queue("q", { concurrency: 4, perKey: 2 })),
      lost: cost(() => log.lost(3)),
    };
  });
  const [few, many] = costs;
  expect(many).toEqual(few);
});
