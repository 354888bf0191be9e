import { EventEmitter, once } from "node:events";
import { workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "../cluster/test-cluster.ts";
import type { TestClusterOptions } from "../cluster/test-cluster-options.ts";
import { replay } from "../replay/replay.ts";

/** What other code of the process gives, at a time of its own. */
let outside = Promise.withResolvers<void>();

const charges = workflow("charges", { version: 1 }, async (ctx, isAlone: boolean) => {
  const charge = outside.promise.then(() => ctx.step("charge", () => "charged"));
  if (isAlone) return [await charge];
  return await Promise.all([charge, ctx.sleep("1h").then(() => "slept")]);
});

async function charged(isAlone: boolean, options: Partial<TestClusterOptions> = {}) {
  outside = Promise.withResolvers();
  const cluster = await TestCluster.start({ workflows: [charges], nodes: 1, ...options });
  void cluster.after(60_000).then(outside.resolve);
  const run = await cluster.workflows.start(charges, isAlone);
  return { cluster, run };
}

test("a body that awaits a foreign promise while a call is open fails with the call that follows", async () => {
  const { cluster, run } = await charged(false);
  await using _ = cluster;
  await expect(run.result()).rejects.toThrow(
    'The body of charges makes the call ctx.step("charge") after awaiting something that is not recorded',
  );
  await expect(run.result()).rejects.toMatchObject({ failure: { code: "NON_DETERMINISM" } });
  cluster.steps.assertNeverRan("charge");
  expect(cluster.story.some((line) => line.includes('is not recorded before ctx.step("charge")'))).toBe(true);
});

test("the await is only noted where the test says so", async () => {
  const { cluster, run } = await charged(false, { onForeignAwait: "note" });
  await using _ = cluster;
  expect(await run.result()).toEqual(["charged", "slept"]);
  const { runId } = run;
  expect(cluster.foreignAwaits).toEqual([
    { type: "foreign-await", runId, workflowType: "charges", call: 'ctx.step("charge")' },
  ]);
});

test("a foreign promise that changes no order is allowed: nothing else is open", async () => {
  const { cluster, run } = await charged(true);
  await using _ = cluster;
  await cluster.time.advance("2m");
  cluster.time.release();
  expect(await run.result()).toEqual(["charged"]);
  expect(cluster.foreignAwaits).toEqual([]);
});

test("a replay of a body that awaits a foreign promise is different, and says before which call", async () => {
  // Other code of the process that tells of something in each turn of the event loop.
  const feed = new EventEmitter();
  // A replay looks at fewer turns than a cluster has for one of a body's.
  let [isOpen, turns] = [true, 40];
  const turn = (): unknown => feed.emit("turn") && isOpen && setImmediate(turn);
  feed.on("turn", () => {});
  turn();
  const listens = workflow("listens", { version: 1 }, async (ctx) => {
    const heard = async (): Promise<void> => {
      for (let at = 0; at < turns; at++) await once(feed, "turn");
    };
    const charge = heard().then(() => ctx.step("charge", () => "charged"));
    return await Promise.race([ctx.waitFor("never"), charge]);
  });
  await using cluster = await TestCluster.start({ workflows: [listens], nodes: 1, onForeignAwait: "note" });
  const run = await cluster.workflows.start(listens);
  expect(await run.result()).toBe("charged");
  expect(cluster.foreignAwaits).toHaveLength(1);
  const history = await run.exportHistory();
  turns = 4;
  const { verdict, reason } = await replay(history, listens);
  isOpen = false;
  expect([verdict, reason]).toEqual([
    "different",
    expect.stringContaining('The body makes the call ctx.step("charge") after awaiting something that is not recorded'),
  ]);
});
