/** What every implementation of `Workflows` does alike with locks: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { go, locked } from "../conformance-workflows.ts";

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function lockCases(subject: () => { readonly workflows: Workflows }): void {
  test("a lock is held by one, with a growing token, and goes to the next one in the order of asking", async () => {
    const { locks } = subject().workflows;
    const first = await locks.acquire("one", { value: "ada", leaseMs: 60_000 });
    expect(first.signal.aborted).toBe(false);
    expect(await locks.tryAcquire("one")).toBeUndefined();
    const order: string[] = [];
    const waits = ["b", "c"].map(async (value) => {
      const lock = await locks.acquire("one", { value });
      order.push(value);
      return lock;
    });
    await expect.poll(async () => (await locks.get("one"))?.waiting, { timeout: 10_000 }).toBe(2);
    expect(await locks.get("one")).toMatchObject({
      limits: { permits: 1 },
      isDefined: false,
      held: 1,
      available: 0,
      taken: 0,
      oldestAtMs: expect.any(Number),
      holders: [{ token: first.token, value: "ada", leaseMs: 60_000, runId: undefined, requestId: expect.any(String) }],
    });
    await first.release();
    expect(first.signal.reason).toMatchObject({ code: "LOCK_LOST" });
    const [second, third] = await Promise.all([
      waits[0],
      waits[1]?.then(async (lock) => lock),
      waits[0]?.then((l) => l.release()),
    ]);
    expect(order).toEqual(["b", "c"].toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
    const tokens = [first.token, second?.token ?? 0, third?.token ?? 0].sort((a, b) => a - b);
    expect(new Set(tokens).size).toBe(3);
    expect(tokens[0]).toBe(first.token);
    await third?.release();
    expect(await locks.get("one")).toBeUndefined();
  });

  test("a wait that is out of time or aborted holds nothing, and leaves nothing waiting", async () => {
    const { locks } = subject().workflows;
    await using held = await locks.acquire("two");
    await expectAlike("a lock that is not granted in time", locks.acquire("two", { timeoutMs: 50 }), {
      name: "LockTimeoutError",
      code: "LOCK_TIMEOUT",
    });
    const aborted = locks.acquire("two", { signal: AbortSignal.timeout(50) });
    await expectAlike("a lock whose wait is aborted", aborted, { name: "NodeError", code: "CALL_ABORTED" });
    await expect.poll(async () => (await locks.get("two"))?.waiting, { timeout: 10_000 }).toBe(0);
    expect((await locks.get("two"))?.held).toBe(1);
    expect(held.token).toBeGreaterThan(0);
  });

  test("a semaphore has as many holders as permits, and an operator's number stands above code's", async () => {
    const { locks } = subject().workflows;
    const two = await Promise.all([1, 2].map(() => locks.acquire("pool", { permits: 2 })));
    expect(await locks.tryAcquire("pool", { permits: 2 })).toBeUndefined();
    await locks.define("pool", { permits: 3 }, { reason: "more room" });
    const third = await locks.tryAcquire("pool", { permits: 2 });
    expect(await locks.get("pool")).toMatchObject({ limits: { permits: 3 }, isDefined: true, held: 3 });
    expect((await locks.list({ prefix: "poo" })).map(({ name }) => name)).toEqual(["pool"]);
    for (const lock of [...two, third]) await lock?.release();
    expect(await locks.get("pool")).toMatchObject({ held: 0, available: 3 });
    await locks.delete("pool");
    expect(await locks.get("pool")).toBeUndefined();
    await expectAlike("a lock that is not there", locks.delete("pool"), {
      name: "WorkflowError",
      code: "LOCK_NOT_FOUND",
    });
  });

  test("a limiter lets its burst through at once, and the others as time passes", async () => {
    const { locks } = subject().workflows;
    const rate = { limit: 20, periodMs: 1_000, burst: 2 };
    await Promise.all(Array.from({ length: 5 }, () => locks.take("calls", rate)));
    expect(await locks.get("calls")).toMatchObject({ limits: { rate }, waiting: 0, taken: 5 });
    await expectAlike("a limiter that is asked for as a lock", locks.acquire("calls"), {
      name: "WorkflowError",
      code: "LOCK_CONFLICT",
    });
  });

  test("an election has one leader, whom observers see, and another one when it resigns", async () => {
    const { locks } = subject().workflows;
    const ending = new AbortController();
    const seen: (string | undefined)[] = [];
    const observed = (async () => {
      for await (const leader of locks.observe("boss", { signal: ending.signal })) seen.push(leader?.value);
    })();
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual([undefined]);
    const ada = await locks.elect("boss", { value: "ada" });
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toBe("ada");
    const bob = locks.elect("boss", { value: "bob" });
    await ada.release();
    const next = await bob;
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toBe("bob");
    expect(next.token).toBeGreaterThan(ada.token);
    ending.abort();
    await expectAlike("an observation that is aborted", observed, { name: "NodeError", code: "CALL_ABORTED" });
    await next.release();
  });

  test("a run holds the same locks as service code, says what it waits for, and an operator takes a lock from its holder", async () => {
    const { workflows } = subject();
    const { locks } = workflows;
    const held = await locks.acquire("shared", { value: "service" });
    const run = await workflows.start(locked, "shared");
    await expect.poll(async () => (await locks.get("shared"))?.waiting, { timeout: 10_000 }).toBe(1);
    expect(await workflows.pending(run.runId)).toMatchObject([{ kind: "lock", path: "shared/lock" }]);
    expect((await workflows.describe(run.runId)).locks).toMatchObject([
      { name: "shared", path: "shared/lock", token: undefined, heldBy: [{ token: held.token, value: "service" }] },
    ]);
    await locks.forceRelease("shared", held.token, { reason: "it hangs" });
    await expect.poll(async () => (await locks.get("shared"))?.holders[0]?.runId, { timeout: 10_000 }).toBe(run.runId);
    expect((await workflows.describe(run.runId)).locks).toMatchObject([{ token: expect.any(Number), heldBy: [] }]);
    const [audited] = (await workflows.auditPage({ subject: "shared" })).entries;
    expect(audited).toMatchObject({ action: "release-lock", subject: "shared", reason: "it hangs" });
    await expectAlike("a token that holds nothing", locks.forceRelease("shared", held.token), {
      name: "WorkflowError",
      code: "LOCK_NOT_HELD",
    });
    await run.signal(go);
    expect(await run.result()).toBeGreaterThan(held.token);
    await held.release();
  });

  test.each([
    ["", {}, "NAME_INVALID"],
    ["l", { permits: 0 }, "REQUEST_INVALID"],
    ["l", { leaseMs: 1 }, "REQUEST_INVALID"],
    ["l", { value: "x".repeat(1_001) }, "REQUEST_INVALID"],
    ["l", { timeoutMs: -1 }, "REQUEST_INVALID"],
  ])("what is no ask is refused before it is sent: %j %j", async (name, options, code) => {
    const { locks } = subject().workflows;
    await expectAlike(`an ask that is none: ${name} ${JSON.stringify(options)}`, locks.acquire(name, options), {
      code,
    });
  });
}
