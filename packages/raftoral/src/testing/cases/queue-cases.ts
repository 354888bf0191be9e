/** What every implementation of `Workflows` does alike with queues: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import type { RunStatus } from "../../api/runs.ts";
import type { Run, Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { echo, go, idle } from "../conformance-workflows.ts";

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function queueCases(subject: () => { readonly workflows: Workflows }): void {
  const hasStatus = (run: Run<unknown>, status: RunStatus): Promise<void> =>
    expect.poll(async () => (await run.describe()).status, { timeout: 10_000 }).toBe(status);

  test("a queue lets runs through one after the other, and says what it does", async () => {
    const { workflows } = subject();
    const { queues } = workflows;
    await queues.define("one", { concurrency: 1, perKey: 5, perNode: 3, rate: { limit: 1_000, periodMs: 10 } });
    const start = (runId: string, key: string, priority = 0) =>
      workflows.start(idle, undefined, { runId, queue: "one", key, priority });
    const first = await start("queue-first", "ada");
    const second = await start("queue-second", "ada");
    const third = await start("queue-third", "bob", 7);
    expect(await first.describe()).toMatchObject({
      status: "running",
      queue: { name: "one", key: "ada", priority: 0 },
    });
    const waits = { waitsFor: "concurrency", position: 1 };
    expect(await second.describe()).toMatchObject({ status: "queued", owner: 0, takeovers: 0, queue: waits });
    const limits = { concurrency: 1, perKey: 5, perNode: 3, rate: { limit: 1_000, periodMs: 10 } };
    expect(await queues.get("one")).toEqual({
      name: "one",
      limits,
      isPaused: false,
      waiting: 2,
      delayed: 0,
      running: 1,
      admitted: 1,
      oldestAtMs: expect.any(Number),
      closedBy: "concurrency",
      nodes: [{ nodeId: expect.any(Number), running: 1 }],
    });
    expect((await queues.list()).map(({ name }) => name)).toContain("one");
    const listed = await Array.fromAsync(workflows.list({ queue: "one", status: "queued", order: "ascending" }));
    expect(listed.map(({ runId }) => runId)).toEqual(["queue-second", "queue-third"]);
    expect((await workflows.counts()).find(({ status }) => status === "queued")).toMatchObject({ runs: 2 });
    await expectAlike("a queue with runs", queues.delete("one"), { name: "WorkflowError", code: "QUEUE_NOT_EMPTY" });
    await first.signal(go);
    expect(await first.result()).toBe("gone");
    // The higher priority goes first.
    await hasStatus(third, "running");
    expect((await second.describe()).status).toBe("queued");
    await queues.pause("one");
    await third.signal(go);
    await third.result();
    expect((await second.describe()).queue?.waitsFor).toBe("paused");
    await queues.resume("one");
    await hasStatus(second, "running");
    await second.signal(go);
    await second.result();
    expect((await second.describe()).queue).toMatchObject({ name: "one", waitsFor: undefined, position: undefined });
    await queues.delete("one");
    await queues.delete("one");
    expect(await queues.get("one")).toBeUndefined();
  });

  test("a waiting run is cancelled at once, and limits change at run time", async () => {
    const { workflows } = subject();
    await workflows.queues.define("two", { concurrency: 1 });
    const runs = await Promise.all(
      ["a", "b", "c", "d"].map((id) => workflows.start(idle, undefined, { runId: `two-${id}`, queue: "two" })),
    );
    const queued = await Array.fromAsync(workflows.list({ queue: "two", status: "queued" }));
    const [one] = queued;
    await workflows.cancel(one?.runId ?? "");
    expect((await workflows.wait(one?.runId ?? "")).status).toBe("cancelled");
    await workflows.queues.define("two");
    const left = runs.filter(({ runId }) => runId !== one?.runId);
    for (const run of left) await hasStatus(run, "running");
    for (const run of left) await run.signal(go);
    for (const run of left) expect(await run.result()).toBe("gone");
  });

  test("a dedupe key gives the run that has it, and a debounced start the one that waits", async () => {
    const { workflows } = subject();
    await workflows.queues.define("unique", { concurrency: 1 });
    const options = { queue: "unique", dedupeKey: "report" };
    const first = await workflows.start(idle, undefined, options);
    const again = await workflows.start(idle, undefined, options);
    expect([first.created, again.created, again.runId]).toEqual([true, false, first.runId]);
    await first.signal(go);
    expect(await again.result()).toBe("gone");
    const later = await workflows.start(idle, undefined, options);
    expect(later.created).toBe(true);
    await later.cancel();
    const debounced = { queue: "unique", dedupeKey: "index", debounceMs: 300 };
    const echoed = await workflows.start(echo, "first", debounced);
    expect((await echoed.describe()).queue?.waitsFor).toBe("delay");
    const other = await workflows.start(echo, "second", debounced);
    expect([other.runId, other.created]).toEqual([echoed.runId, false]);
    expect(await echoed.result()).toEqual(await other.result());
    expect((await echoed.input()).value()).toBe("second");
  });

  test.each<[name: string, call: (workflows: Workflows) => Promise<unknown>, code: string]>([
    ["a start in a queue that is not there", (w) => w.start(idle, undefined, { queue: "none" }), "QUEUE_NOT_FOUND"],
    ["pausing a queue that is not there", (w) => w.queues.pause("none"), "QUEUE_NOT_FOUND"],
    ["a queue without a name", (w) => w.queues.define(""), "NAME_INVALID"],
    ["a queue with a long name", (w) => w.queues.get("x".repeat(201)), "NAME_INVALID"],
    ["a concurrency of none", (w) => w.queues.define("bad", { concurrency: 0 }), "REQUEST_INVALID"],
    ["a part of a run for each key", (w) => w.queues.define("bad", { perKey: 0.5 }), "REQUEST_INVALID"],
    ["a rate without a time", (w) => w.queues.define("bad", { rate: { limit: 1 } as never }), "REQUEST_INVALID"],
    ["a limit that there is not", (w) => w.queues.define("bad", { perDay: 1 } as never), "REQUEST_INVALID"],
    ["a key without a queue", (w) => w.start(idle, undefined, { key: "a" }), "QUEUE_OPTIONS_INVALID"],
    ["a priority of a half", (w) => w.start(idle, undefined, { queue: "one", priority: 0.5 }), "QUEUE_OPTIONS_INVALID"],
    [
      "a debounce without a key",
      (w) => w.start(idle, undefined, { queue: "q", debounceMs: 1 }),
      "QUEUE_OPTIONS_INVALID",
    ],
    ["a filter by no queue", (w) => w.listPage({ queue: "" }), "REQUEST_INVALID"],
  ])("%s is refused", async (name, call, code) => {
    await expectAlike(name, call(subject().workflows), { code });
  });
}
