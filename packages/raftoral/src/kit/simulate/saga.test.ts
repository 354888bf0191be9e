// @module-tag slow
import {
  CompensationFailedError,
  RetryableError,
  saga,
  signal,
  type WorkflowContext,
  workflow,
} from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { TestCluster } from "../cluster/test-cluster.ts";
import { simulate } from "./simulate.ts";

const pay = signal<boolean>("pay");

/** Books three things, and keeps them when it is paid. */
const trip = workflow("trip", { version: 1 }, (ctx) =>
  saga(ctx, async (steps) => {
    const booked: string[] = [];
    for (const name of ["flight", "hotel", "car"]) {
      booked.push(await steps.step(name, () => `${name}-1`, { undo: (ticket) => ticket }));
      await steps.ctx.sleep("1h");
    }
    if (!(await steps.ctx.waitFor(pay))) throw new Error("not paid");
    return booked;
  }),
);

describe("a saga", () => {
  test("undoes what it did, in reverse order, whatever happens: a failure, a cancellation, a takeover", async () => {
    let [undone, kept] = [0, 0];
    for (const isPaid of [true, false]) {
      await simulate(trip, {
        input: undefined,
        seeds: 40,
        during: (run) => run.signal(pay, isPaid),
        check: ({ status, steps }) => {
          const ran = (prefix: string): string[] => {
            const paths = steps
              .filter(({ path }) => path.startsWith(prefix))
              .map(({ path }) => path.slice(prefix.length));
            return [...new Set(paths.map((path) => path.replace(/#0$/, "")))];
          };
          const undos = ran("saga/undo/");
          if (status === "completed") {
            expect([isPaid, undos]).toEqual([true, []]);
            kept += 1;
            return;
          }
          undone += 1;
          const done = ["flight", "hotel", "car"].filter((name) => undos.includes(name));
          // In reverse order, and without a gap; a step that a cancellation has cut off is not known to be done.
          expect(undos).toEqual(done.toReversed());
          expect(["flight", "hotel", "car"].slice(0, done.length)).toEqual(done);
          if (status === "failed") expect(done).toHaveLength(3);
        },
      });
    }
    expect(kept).toBeGreaterThan(20);
    expect(undone).toBeGreaterThan(40);
  });

  test("goes on undoing when an undo fails for good, and says which", async () => {
    const undone: string[] = [];
    const body = workflow("partly", { version: 1 }, (ctx) =>
      saga(ctx, async (steps) => {
        steps.undo("log", () => undone.push("log"));
        await steps.step("a", () => 1, { undo: () => undone.push("a") });
        await steps.step("b", () => 2, {
          undo: () => {
            throw new RangeError("no refund");
          },
          undoOptions: { retry: false },
        });
        throw new Error("sold out");
      }).catch((error: unknown) => {
        const failed = error as CompensationFailedError;
        return [
          failed instanceof CompensationFailedError,
          failed.failures.map(({ step }) => step),
          String(failed.cause),
        ];
      }),
    );
    const cluster = await TestCluster.start({ workflows: [body] });
    const run = await cluster.workflows.start(body, undefined);
    expect(await run.result()).toEqual([true, ["saga/undo/b#0"], "Error: sold out"]);
    expect(undone).toEqual(["a", "log"]);
    await cluster.stop();
  });

  test("undoes all of it when its run is cancelled, however long each of several sagas takes for that", async () => {
    const slow = async (ctx: WorkflowContext, name: string, body: (own: WorkflowContext) => Promise<void>) =>
      saga(ctx, async (steps) => {
        await steps.step(name, () => name, {
          undo: () => {
            throw new RetryableError("not yet", { delay: "1m" });
          },
          undoOptions: { retry: { attempts: 2 } },
        });
        await body(steps.ctx);
      });
    const trips = workflow("trips", { version: 1 }, (ctx) =>
      slow(ctx, "outer", (outer) => slow(outer, "middle", (middle) => slow(middle, "inner", (own) => own.sleep("1d")))),
    );
    await using cluster = await TestCluster.start({ workflows: [trips], nodes: 1 });
    const run = await cluster.workflows.start(trips, undefined, { runId: "r" });
    await cluster.time.advance("1h");
    cluster.time.release();
    await run.cancel();
    expect((await run.wait()).status).toBe("cancelled");
    const undone = cluster.steps.calls().filter(({ path }) => path.includes("/undo/"));
    expect([...new Set(undone.map(({ name }) => name))]).toEqual(["inner", "middle", "outer"]);
    expect(undone).toHaveLength(6);
  });
});
