import { describe, expect, test } from "vitest";
import { encodeValue } from "../author/values/json-value.ts";
import { workflow } from "../author/workflow.ts";
import { world } from "../testing/workflow-world.ts";
import { RunRequests } from "./run-requests.ts";

const idle = workflow("idle", { version: 1 }, async (ctx) => ctx.waitFor("go"));
const start = { workflowType: "idle", input: new Uint8Array(0), seed: new Uint8Array(16) };
const limit = { timeoutMs: 5_000 };

describe("a request", () => {
  test("whose outcome is unknown is proposed again, and takes effect once", async () => {
    const w = world([1]);
    await w.startAll([idle]);
    const requests = new RunRequests(w.cluster.node(1).engine);
    let faults = 2;
    w.cluster.node(1).fault = () => (faults-- > 0 ? "applied-but-unknown" : "none");
    expect(await requests.start({ runId: "r", ...start }, limit)).toMatchObject({ created: true });
    faults = 2;
    await requests.signal({ runId: "r", name: "go", payload: encodeValue(1, "x", 9), signalId: "s" }, limit);
    expect((await requests.wait("r", limit))?.ended?.outcome).toMatchObject({ status: "completed" });
    requests.close();
  });

  test("is answered when its command is applied on this node, and not before", async () => {
    const w = world([1]);
    await w.startAll([idle]);
    const { engine } = w.cluster.node(1);
    const propose = engine.propose.bind(engine);
    const order: string[] = [];
    let gate = Promise.withResolvers<void>();
    engine.propose = async (command, options) => {
      await gate.promise;
      const result = await propose(command, options);
      order.push(`${command.kind} applied`);
      return result;
    };
    const requests = new RunRequests(engine);
    const signal = { runId: "r", name: "other", payload: encodeValue(1, "x", 9), signalId: "s" };
    const calls = [
      ["WorkflowStart", () => requests.start({ runId: "r", ...start }, limit)],
      ["Signal", () => requests.signal(signal, limit)],
      ["Resume", () => requests.resume({ runId: "r", reason: "", by: "" }, limit)],
      ["Cancel", () => requests.cancel({ runId: "r", reason: "enough", by: "" }, limit)],
    ] as const;
    for (const [kind, call] of calls) {
      gate = Promise.withResolvers();
      const answered = call().then(() => order.push(`${kind} answered`));
      // Everything that needs no entry of the log has happened after a turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      expect(order).toEqual([]);
      gate.resolve();
      await answered;
      expect(order.filter((each) => each.startsWith(kind))).toEqual([`${kind} applied`, `${kind} answered`]);
      order.length = 0;
    }
    requests.close();
  });

  test("is given all its time in one attempt, within which the engine keeps it from being applied twice", async () => {
    const w = world([1]);
    await w.startAll([idle]);
    const { engine } = w.cluster.node(1);
    const asked: (number | undefined)[] = [];
    const propose = engine.propose.bind(engine);
    engine.propose = (command, options) => {
      if (command.kind === "WorkflowStart") asked.push(options?.timeoutMs);
      return propose(command, options);
    };
    const requests = new RunRequests(engine);
    await requests.start({ runId: "r", ...start }, { timeoutMs: 7_000 });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeGreaterThan(6_000);
    expect(asked[0]).toBeLessThanOrEqual(7_000);
    requests.close();
  });

  test("ends its attempts with its limit or its signal, and keeps no timer", async () => {
    const w = world([1]);
    await w.startAll([idle]);
    const requests = new RunRequests(w.cluster.node(1).engine);
    w.cluster.node(1).connected = false;
    await expect(requests.start({ runId: "r", ...start }, { timeoutMs: 30 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
    const stop = new AbortController();
    const pending = requests.cancel({ runId: "r", reason: "why", by: "" }, { timeoutMs: 60_000, signal: stop.signal });
    stop.abort();
    await expect(pending).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    requests.close();
  });
});

describe("a wait", () => {
  test("ends with its run, its limit, a missing run and a stopped node", async () => {
    const w = world([1]);
    await w.startAll([idle]);
    const requests = new RunRequests(w.cluster.node(1).engine);
    await expect(requests.wait("none", limit)).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    await requests.start({ runId: "r", ...start }, limit);
    expect(await requests.wait("r", { timeoutMs: 5 })).toBeUndefined();
    expect(await requests.wait("r", { timeoutMs: 60_000, signal: AbortSignal.abort() })).toBeUndefined();
    const stopped = requests.wait("r", { timeoutMs: Number.POSITIVE_INFINITY });
    stopped.catch(() => {});
    await expect.poll(() => requests.waits).toBe(1);
    requests.close();
    await expect(stopped).rejects.toMatchObject({ code: "NODE_STOPPED" });
    expect(requests.waits).toBe(0);
  });

  test("of a run that has ended here, as far as this node has applied the log, gives the end after a retry that was acknowledged", async () => {
    const w = world([1, 2]);
    await w.startAll([idle]);
    const { engine } = w.cluster.node(2);
    const requests = new RunRequests(engine);
    await w.runtime(1).startWorkflow(idle, undefined, { id: "r" });
    const mend = { runId: "r", reason: "", by: "" };
    await requests.mend({ ...mend, requestId: "one", action: { kind: "terminate" } }, limit);
    const before = await requests.wait("r", limit);
    expect(before?.ended?.outcome.status).toBe("failed");
    await requests.mend({ ...mend, requestId: "two", action: { kind: "retry", from: undefined } }, limit);
    // The node has not applied the retry: it does once it has caught up.
    const [end, barrier] = [engine.end.bind(engine), engine.barrier.bind(engine)];
    let isBehind = true;
    engine.end = (runId) => (isBehind ? Promise.resolve(before) : end(runId));
    engine.barrier = async (options) => {
      const index = await barrier(options);
      isBehind = false;
      return index;
    };
    const waited = requests.wait("r", limit);
    await requests.signal({ runId: "r", name: "go", payload: encodeValue(1, "x", 9), signalId: "s" }, limit);
    expect((await waited)?.ended?.outcome).toMatchObject({ status: "completed" });
    requests.close();
  });
});
