import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import { Latch, type World, world } from "../testing/workflow-world.ts";
import type { WorkflowEngine } from "./engine/workflow-engine.ts";

/** Node 1's engine, which answers the next question for a run's record only when `release` opens. */
function slowReads(w: World, asked: Latch, release: Latch): WorkflowEngine {
  const { engine } = w.cluster.node(1);
  return {
    nodeId: engine.nodeId,
    propose: (command, options) => engine.propose(command, options),
    barrier: (options) => engine.barrier(options),
    subscribe: (listener) => engine.subscribe(listener),
    end: (runId) => engine.end(runId),
    input: async () => undefined,
    history: async () => undefined,
    progress: async () => undefined,
    record: (runId, path) => engine.record(runId, path),
    children: async () => [],
    unreportedEnds: async () => [],
    owedAnswers: async () => [],
    agenda: () => engine.agenda(),
    schedule: async () => undefined,
    schedules: async () => [],
    dueSchedules: async () => [],
    stream: async () => undefined,
    variables: async () => undefined,
    run: async (runId) => {
      const run = await engine.run(runId);
      asked.open();
      await release.opened;
      return run;
    },
    summary: (runId) => engine.summary(runId),
    list: (query) => engine.list(query),
    queues: async () => [],
    locks: async () => [],
    runLocks: async () => [],
    lockToken: async () => 0,
    lockWatch: async () => ({ leases: [], buckets: [], next: undefined }),
    counts: () => engine.counts(),
    pausedTypes: () => engine.pausedTypes(),
    audit: (query) => engine.audit(query),
    pruned: (runId) => engine.pruned(runId),
    toHandOver: (after, limit) => engine.toHandOver(after, limit),
    ownedBy: (nodeId) => engine.ownedBy(nodeId),
    overview: () => engine.overview(),
  };
}

const waiter = workflow("waiter", { version: 1 }, async (ctx) => ctx.waitFor("go"));

describe("an execution (executions.ts O3)", () => {
  test("hears of a signal and of a cancellation that come while its record is read", async () => {
    const w = world([1, 2]);
    const asked = new Latch();
    const release = new Latch();
    w.start(1, [waiter], { engine: slowReads(w, asked, release) });
    w.start(2, [waiter]);
    await Promise.all([w.runtime(1).registered, w.runtime(2).registered]);
    w.cluster.lead(1);
    await w.runtime(2).startWorkflow(waiter, undefined, { id: "signalled" });
    await w.runtime(2).startWorkflow(waiter, undefined, { id: "cancelled" });
    w.kill(2);
    w.cluster.reportLost(2);
    await asked.opened;
    await w.runtime(1).signal("signalled", "go", "on");
    await w.runtime(1).cancel("cancelled", "enough");
    release.open();
    expect(await w.runtime(1).result("signalled")).toBe("on");
    await expect(w.runtime(1).result("cancelled")).rejects.toMatchObject({ reason: "enough" });
  });

  test("hears of what a snapshot brings instead of events", async () => {
    const w = world();
    await w.startAll([waiter]);
    for (const id of ["signalled", "cancelled"]) {
      const begun = w.next("body-started");
      await w.runtime(2).startWorkflow(waiter, undefined, { id });
      await begun;
    }
    w.cluster.node(2).connected = false;
    await w.runtime(1).signal("signalled", "go", "on");
    await w.runtime(1).cancel("cancelled", "enough");
    await w.cluster.installSnapshot(2, 1);
    w.cluster.reconnect(2);
    expect(await w.runtime(2).result("signalled")).toBe("on");
    await expect(w.runtime(2).result("cancelled")).rejects.toMatchObject({ reason: "enough" });
    expect(w.events.filter((event) => event.type === "body-started")).toHaveLength(2);
  });
});

describe("a registration", () => {
  test("is repeated when the node is taken for lost before the first one is answered", async () => {
    const w = world([1, 2]);
    w.start(1, []);
    await w.runtime(1).registered;
    const node = w.cluster.node(2);
    // The node's first registration and a report of its loss are applied together.
    node.fault = (command) => {
      if (command.kind !== "NodeRegister") return "none";
      node.fault = () => "none";
      const { nodeId, incarnation, atMs } = command;
      setImmediate(() => node.engine.propose({ kind: "NodeLost", nodeId, incarnation, atMs, forget: false }));
      return "none";
    };
    node.connected = true;
    const live = w.next("node-changed", (event) => event.nodeId === 2 && event.status === "live");
    w.start(2, [waiter]);
    await live;
    const run = await w.runtime(1).startWorkflow(waiter, undefined, { id: "r" });
    await run.signal("go", "on");
    expect(await run.result()).toBe("on");
  });

  test("is not made any more once the node has left, though one was being retried", async () => {
    const w = world([1, 2]);
    w.start(1, [waiter]);
    await w.runtime(1).registered;
    const node = w.cluster.node(2);
    const tried = new Latch();
    let registrations = 0;
    node.fault = (command) => {
      if (command.kind !== "NodeRegister") return "none";
      registrations += 1;
      tried.open();
      return "lost";
    };
    w.start(2, [waiter]);
    await tried.opened;
    await w.runtime(2).drain();
    // The pause before the next attempt is over when a timer of the same length set later has rung.
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(registrations).toBe(1);
  });
});
