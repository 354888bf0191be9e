/** When the runs of objects end, and what becomes of calls that meet the end. */
import { exclusive, object, shared, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const bell = object(
  "bell",
  { version: 1, state: 0 },
  {
    ring: exclusive(async (ctx, text: string) => await ctx.step("ring", () => text)),
    ask: shared((_ctx, text: string) => text),
    picky: exclusive((_ctx, _input: number): void => {}, {
      input: {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value) => (value === 1 ? { value: 1 } : { issues: [{ message: "is not 1" }] }),
        },
      },
    }),
  },
);

test("calls of an object without a state are each made once, however many callers there are", async () => {
  const caller = workflow("caller", { version: 1 }, async (ctx, times: number) => {
    for (let at = 0; at < times; at++) await ctx.object(bell, "door").call("ring", `${ctx.runId} ${at}`);
  });
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [bell, caller] });
  const door = cluster.workflows.object(bell, "door");
  const outside = Array.from({ length: 5 }, async (_, at) => {
    for (let call = 0; call < 10; call++) expect(await door.call("ask", `${at} ${call}`)).toBe(`${at} ${call}`);
  });
  const runs = await Promise.all(Array.from({ length: 5 }, () => cluster.workflows.start(caller, 10)));
  await Promise.all([...outside, ...runs.map((run) => run.result())]);
  // A call that meets an end would be recorded as refused, and made again at the next path.
  for (const run of runs) expect((await run.describe()).recordCount).toBe(10);
  await cluster.time.untilIdle();
  expect((await cluster.workflows.describe(door.runId)).status).toBe("completed");
});

test("an object whose calls were all refused costs nothing", async () => {
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [bell] });
  const door = cluster.workflows.object<typeof bell>("bell", "door");
  await expect(door.call("none" as "ask", "")).rejects.toMatchObject({ code: "UPDATE_UNKNOWN" });
  await cluster.time.untilIdle();
  expect((await cluster.workflows.describe(door.runId)).status).toBe("completed");
  await expect(door.call("picky", 2 as never)).rejects.toMatchObject({ code: "UPDATE_REJECTED" });
  await expect(door.sendLater("picky", 2 as never, { after: "1h" })).rejects.toMatchObject({ code: "UPDATE_REJECTED" });
  await cluster.time.untilIdle();
  expect((await cluster.workflows.describe(door.runId)).status).toBe("completed");
});
