/** Cases of the conformance suite of `Workflows`: attributes, filters, orders, counts, and reads of what a node has. */
import { expect, test } from "vitest";
import type { RunFilter } from "../../api/finding/filters.ts";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { go, labelled } from "../conformance-workflows.ts";

const DUE = new Date("2026-03-04T05:06:07.008Z");

/** The cases. To be called among the others. */
export function findingCases(subject: () => { readonly workflows: Workflows }): void {
  test("runs are found by what they were started with and by what their bodies set", async () => {
    const { workflows } = subject();
    const batch = crypto.randomUUID();
    const start = (runId: string, total: number, more: object = {}) =>
      workflows.start(labelled, undefined, {
        runId: `${batch}-${runId}`,
        attributes: { batch, total, due: DUE, open: total > 5, tags: ["all", runId], ...more },
      });
    const runs = [await start("a", 1), await start("b", 10), await start("c", 7.5, { customer: "ada" })];
    await workflows.signal(`${batch}-b`, go);
    expect(await workflows.result(`${batch}-b`)).toEqual({
      batch,
      total: 11,
      due: DUE.toJSON(),
      open: true,
      tags: ["all", "b"],
    });
    const found = async (filter: RunFilter): Promise<readonly string[]> => {
      const narrowed = { ...filter, attributes: { batch, ...filter.attributes } };
      const listed = await Array.fromAsync(workflows.list(narrowed));
      return listed.map(({ runId }) => runId.slice(batch.length + 1));
    };
    expect(await found({})).toEqual(["c", "b", "a"]);
    expect(await found({ order: "ascending" })).toEqual(["a", "b", "c"]);
    expect(await found({ attributes: { total: { in: [1, 7.5] } } })).toEqual(["c", "a"]);
    expect(await found({ attributes: { total: { above: 1, atMost: 11 } } })).toEqual(["c", "b"]);
    expect(await found({ attributes: { due: DUE, open: true } })).toEqual(["c", "b"]);
    expect(await found({ attributes: { due: { below: DUE } } })).toEqual([]);
    expect(await found({ attributes: { tags: "b" } })).toEqual(["b"]);
    expect(await found({ attributes: { customer: {} } })).toEqual(["c"]);
    expect(await found({ status: ["completed", "failed"] })).toEqual(["b"]);
    expect(await found({ sort: "ended" })).toEqual(["b"]);
    expect(await found({ runIdPrefix: `${batch}-a` })).toEqual(["a"]);
    const { startedAtMs } = await workflows.describe(`${batch}-b`);
    expect(await found({ created: { before: startedAtMs } })).not.toContain("b");
    expect(await found({ created: { from: new Date(startedAtMs) } })).toContain("b");
    expect(await found({ ended: { before: startedAtMs } })).toEqual([]);
    const { owner } = await workflows.describe(`${batch}-a`);
    expect(await found({ owner })).toContain("a");
    expect(await found({ owner: 0 })).toEqual([]);
    const described = await workflows.describe(`${batch}-b`);
    expect(described.attributes).toEqual({ batch, total: 11, due: DUE, open: true, tags: ["all", "b"] });
    expect(described.initialAttributes).toMatchObject({ total: 10 });
    // A start that is repeated finds its run, and changes nothing of it.
    expect((await start("a", 99)).created).toBe(false);
    expect((await runs[0]?.describe())?.attributes).toMatchObject({ total: 1 });
  });

  test("runs are found by the run that started them", async () => {
    const { workflows } = subject();
    const runId = `guardian-${crypto.randomUUID()}`;
    await workflows.start("guardian", undefined, { runId });
    const children = async (): Promise<readonly string[]> =>
      (await Array.fromAsync(workflows.list({ parent: runId }))).map((run) => run.runId);
    await expect.poll(children, { timeout: 10_000 }).toEqual([`${runId}/idle#0`]);
    await workflows.signal(`${runId}/idle#0`, go);
    await workflows.wait(runId);
    expect(await children()).toEqual([`${runId}/idle#0`]);
  });

  test("a token of a list is of use to that list alone", async () => {
    const { workflows } = subject();
    const { nextPageToken = "" } = await workflows.listPage({}, { pageSize: 1 });
    const others: readonly RunFilter[] = [{ order: "ascending" }, { sort: "ended" }];
    for (const filter of others) {
      await expectAlike("a token of another order", workflows.listPage(filter, { pageToken: nextPageToken }), {
        code: "REQUEST_INVALID",
      });
    }
  });

  test("runs are counted by type and status", async () => {
    const { workflows } = subject();
    const of = async (status: string): Promise<number> =>
      (await workflows.counts()).find((count) => count.workflowType === "labelled" && count.status === status)?.runs ??
      0;
    const [running, completed] = [await of("running"), await of("completed")];
    const run = await workflows.start(labelled, undefined);
    expect([await of("running"), await of("completed")]).toEqual([running + 1, completed]);
    await run.signal(go);
    await run.wait();
    expect([await of("running"), await of("completed")]).toEqual([running, completed + 1]);
  });

  test("a stale read shows what the node has", async () => {
    const { workflows } = subject();
    const stale = { consistency: "stale" } as const;
    const run = await workflows.start(labelled, undefined, { attributes: { kind: "stale" } });
    await expect.poll(async () => (await workflows.counts(stale)).length, { timeout: 10_000 }).toBeGreaterThan(0);
    const listed = async () => await Array.fromAsync(workflows.list({ runIdPrefix: run.runId }, stale));
    await expect.poll(async () => (await listed()).length, { timeout: 10_000 }).toBe(1);
    expect(await run.describe(stale)).toMatchObject({ runId: run.runId, attributes: { kind: "stale" } });
    expect(await Array.fromAsync(run.history(stale))).toEqual(expect.any(Array));
    expect((await run.input(stale)).value()).toBeUndefined();
    expect(await Array.fromAsync(run.variables(stale))).toEqual([]);
    await expect.poll(async () => (await run.pending(stale)).length, { timeout: 10_000 }).toBe(1);
    expect(await workflows.queues.get("none-of-this-name", stale)).toBeUndefined();
    expect(await Array.fromAsync(workflows.schedules.list(stale))).toEqual(expect.any(Array));
    expect(await Array.fromAsync(workflows.objects("none-of-this-type", stale))).toEqual([]);
    const told = workflows.events({ ...stale, from: "oldest", follow: false, runId: run.runId });
    expect(await Array.fromAsync(told)).toMatchObject([{ type: "run-started" }]);
  });

  test("what a start does with a run of its id is its policy", async () => {
    const { workflows } = subject();
    const runId = `policy-${crypto.randomUUID()}`;
    const conflict = { name: "WorkflowError", code: "WORKFLOW_ID_CONFLICT" };
    const first = await workflows.start("failing", "error", { runId, idPolicy: "reject" });
    await first.wait();
    await expect(workflows.start("failing", "error", { runId, idPolicy: "reject" })).rejects.toMatchObject({
      ...conflict,
      details: { runId, workflowType: "failing", version: 1, status: "failed" },
    });
    expect((await workflows.start("failing", "error", { runId })).created).toBe(false);
    const second = await workflows.start(labelled, undefined, { runId, idPolicy: "replace-failed" });
    expect(second.created).toBe(true);
    expect((await workflows.start(labelled, undefined, { runId, idPolicy: "replace-failed" })).created).toBe(false);
    const replace = { runId, idPolicy: "replace", startId: `start-${runId}` } as const;
    expect((await workflows.start("echo", 5, replace)).created).toBe(true);
    expect((await workflows.start("echo", 5, replace)).created).toBe(true);
    expect(await workflows.result(runId)).toBe(5);
    await expectAlike("a policy that is none", workflows.start("echo", 5, { idPolicy: "maybe" as never }), {
      code: "REQUEST_INVALID",
    });
    await expectAlike("a start id that is none", workflows.start("echo", 5, { startId: "" }), {
      code: "REQUEST_INVALID",
    });
  });

  test("a run that has ended is deleted, and no other", async () => {
    const { workflows } = subject();
    const runId = `deleted-${crypto.randomUUID()}`;
    const run = await workflows.start(labelled, undefined, { runId, attributes: { runId } });
    const running = { name: "WorkflowError", code: "WORKFLOW_RUNNING" };
    await expect(run.delete()).rejects.toMatchObject(running);
    await run.signal(go);
    await run.wait();
    await run.delete();
    await run.delete();
    await expect(run.describe()).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    expect(await Array.fromAsync(workflows.list({ attributes: { runId } }))).toEqual([]);
    expect((await workflows.start("echo", 1, { runId })).created).toBe(true);
  });

  const many = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`a${at}`, at]));
  test.each<[name: string, filter: unknown]>([
    ["an empty list of statuses", { status: [] }],
    ["a status that is none", { status: ["running", "asleep"] }],
    ["an order that is none", { order: "upwards" }],
    ["a sort that is none", { sort: "type" }],
    ["an owner that is none", { owner: -1 }],
    ["a time that is none", { created: { from: "yesterday" } }],
    ["a date that is none", { ended: { before: new Date(Number.NaN) } }],
    ["an empty prefix", { runIdPrefix: "" }],
    ["a parent that is none", { parent: 5 }],
    ["too many conditions", { attributes: many }],
    ["a name of no attribute", { attributes: { "a b": 1 } }],
    ["a value that is none", { attributes: { a: Number.NaN } }],
    ["a comparison with a list", { attributes: { a: ["x"] } }],
    ["a condition that is none", { attributes: { a: { gte: 5 } } }],
    ["no value to compare with", { attributes: { a: { in: [] } } }],
    ["two lower bounds", { attributes: { a: { atLeast: 1, above: 2 } } }],
    ["a misspelt condition, which would fit all runs", { staus: "failed" }],
    ["a misspelt bound of time", { created: { form: 0 } }],
    ["bounds of two types", { attributes: { a: { atLeast: 1, below: "x" } } }],
  ])("%s is refused", async (name, filter) => {
    await expectAlike(name, subject().workflows.listPage(filter as RunFilter), { code: "REQUEST_INVALID" });
  });

  test("attributes that a run cannot have, and a consistency that is none, are refused", async () => {
    const { workflows } = subject();
    const runId = "never-begins";
    const invalid = { name: "WorkflowError", code: "ATTRIBUTES_INVALID" };
    await expectAlike("a name", workflows.start(labelled, undefined, { runId, attributes: { "a b": 1 } }), invalid);
    await expectAlike(
      "a value",
      workflows.start(labelled, undefined, { runId, attributes: { a: {} as never } }),
      invalid,
    );
    await expectAlike("a consistency", workflows.counts({ consistency: "eventual" as never }), {
      code: "REQUEST_INVALID",
    });
  });
}
