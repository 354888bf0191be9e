// @module-tag slow
import { CancelledError, ScopeTimeoutError, signal, type WorkflowContext, workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { TestCluster } from "../cluster/test-cluster.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 50;
const tick = signal<number>("tick");
const stop = signal("stop");

describe("a race", () => {
  test("cancels its losers, which consume nothing: each signal is received once, in order, whatever happens", async () => {
    const body = workflow("racing", { version: 1 }, async (ctx) => {
      const got: unknown[] = [];
      for (let round = 0; round < 4; round++) {
        const { winner, value } = await ctx.race({
          signal: (own) => own.waitFor(tick),
          time: (own) => own.sleep("10ms"),
          step: (own) => own.step("work", () => "worked"),
        });
        got.push(winner === "signal" ? value : winner);
      }
      // Whatever the races left, in its order.
      while (got.filter((each) => typeof each === "number").length < 5) got.push(await ctx.waitFor(tick));
      return got.filter((each) => typeof each === "number");
    });
    await simulate(body, {
      input: undefined,
      seeds: SEEDS,
      during: async (run) => {
        for (let at = 0; at < 5; at++) await run.signal(tick, at);
      },
      check: ({ status, result, wasCancelled }) => {
        if (!wasCancelled) expect([status, result]).toEqual(["completed", [0, 1, 2, 3, 4]]);
      },
    });
  });

  test("rejects with the error of the branch that was first, and lets losers clean up", async () => {
    const cluster = await TestCluster.start({
      workflows: [
        workflow("failing", { version: 1 }, async (ctx) => {
          const cleaned: string[] = [];
          const failure = await ctx
            .race({
              bad: (own) =>
                own.step("bad", () => {
                  throw new RangeError("broken");
                }),
              slow: async (own) => {
                try {
                  await own.waitFor(stop);
                } catch (error) {
                  cleaned.push((error as Error).name);
                  await own.shield((safe) => safe.step("tidy", () => cleaned.push("tidied")));
                  throw error;
                }
              },
            })
            .then(
              () => "won",
              (error: unknown) => (error as Error).message,
            );
          return { failure, cleaned };
        }),
      ],
    });
    const run = await cluster.workflows.start("failing", undefined);
    expect(await run.result()).toEqual({
      failure: expect.stringContaining("broken"),
      cleaned: ["BranchCancelledError", "tidied"],
    });
    await cluster.stop();
  });

  test("without branches is refused", async () => {
    const cluster = await TestCluster.start({
      workflows: [workflow("empty", { version: 1 }, async (ctx) => String(await ctx.race({})))],
    });
    const run = await cluster.workflows.start("empty", undefined);
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "INPUT_INVALID" } });
    await cluster.stop();
  });
});

describe("a scope with a limit", () => {
  test("ends its calls when its time is over, at the same place on every node", async () => {
    const body = workflow("limited", { version: 1 }, async (ctx) => {
      const done: number[] = [];
      const ended = await ctx
        .scope(
          "polls",
          async (own) => {
            for (let at = 0; ; at++) {
              await own.step("poll", () => at);
              done.push(at);
              await own.sleep("100ms");
            }
          },
          { timeout: "1s" },
        )
        .catch((error: unknown) => error instanceof ScopeTimeoutError);
      const again = await ctx.step("after", () => done.length);
      return { ended, isSame: again === done.length };
    });
    await simulate(body, { input: undefined, seeds: SEEDS });
  });

  test("whose signal the body aborts ends its calls with the signal's reason", async () => {
    const body = workflow("aborted", { version: 1 }, async (ctx) => {
      const [first, second] = [new AbortController(), new AbortController()];
      const reasons = Promise.allSettled([
        ctx.scope("polls", (own) => own.waitFor(tick), { signal: first.signal }),
        ctx.waitFor(tick, { signal: first.signal }),
        ctx.sleep("1d", { signal: first.signal }),
        ctx.condition(() => false, { signal: second.signal }),
      ]);
      await ctx.waitFor(stop);
      first.abort(new RangeError("enough"));
      second.abort();
      const settled = await reasons;
      const names = settled.map((each) => (each.status === "rejected" ? (each.reason as Error).name : each.value));
      // The signal may have come before the abort.
      const isTaken = names.includes(7);
      return { names: names.filter((name) => name !== 7), isTaken, next: isTaken ? 7 : await ctx.waitFor(tick) };
    });
    await simulate(body, {
      input: undefined,
      seeds: SEEDS,
      during: async (run) => {
        await run.signal(stop, undefined);
        await run.signal(tick, 7);
      },
      check: ({ status, result, wasCancelled }) => {
        if (wasCancelled) return;
        const { names, isTaken, next } = result ?? { names: [], isTaken: false, next: 0 };
        expect([status, names.length, names.at(-1), next]).toEqual(["completed", isTaken ? 3 : 4, "AbortError", 7]);
        expect(new Set(names.slice(0, -1))).toEqual(new Set(["RangeError"]));
      },
    });
  });
});

describe("a shield", () => {
  /** Reserves, and takes back what it has reserved when it is cancelled. */
  async function reserving(ctx: WorkflowContext, undone: (name: string) => void): Promise<string> {
    const reserved: string[] = [];
    try {
      for (const name of ["a", "b", "c"]) {
        await ctx.scope(name, async (own) => {
          await own.step("reserve", () => name);
          reserved.push(name);
        });
        await ctx.sleep("1h");
      }
      return "kept";
    } catch (error) {
      await ctx.shield(async (safe) => {
        for (const name of reserved.toReversed()) {
          await safe.scope(name, async (own) => {
            await own.step("undo", () => undone(name));
            await own.sleep("1s");
          });
        }
      });
      throw error;
    }
  }

  test("runs in a cancelled run to its end, also on another node: what was reserved is undone", async () => {
    const body = workflow("reserving", { version: 1 }, (ctx) => reserving(ctx, () => {}));
    let cancelled = 0;
    await simulate(body, {
      input: undefined,
      seeds: SEEDS,
      check: ({ status, steps, wasCancelled }) => {
        const ran = (name: string): Set<string> =>
          new Set(
            steps
              .filter(({ path }) => path.endsWith(`${name}#0`))
              .map(({ path }) => path.replace(/^shield\//, "").split("/")[0] ?? ""),
          );
        if (status === "completed") expect(ran("undo").size).toBe(0);
        if (status !== "cancelled") return;
        cancelled += 1;
        expect(wasCancelled).toBe(true);
        // A step that was under way is not known to have happened; everything that the body has seen to be reserved is undone.
        for (const name of ran("undo")) expect(ran("reserve")).toContain(name);
        expect(ran("reserve").size - ran("undo").size).toBeLessThanOrEqual(1);
      },
    });
    expect(cancelled).toBeGreaterThan(5);
  });

  test("is bounded in time, and a cancelled run ends then", async () => {
    const cluster = await TestCluster.start({
      workflows: [
        workflow("stuck", { version: 1 }, async (ctx) => {
          try {
            await ctx.waitFor(stop);
          } catch (error) {
            await ctx.shield((safe) => safe.waitFor(tick), { timeout: "5m" }).catch(() => {});
            throw error;
          }
        }),
      ],
    });
    const run = await cluster.workflows.start("stuck", undefined);
    await cluster.time.advance("1s");
    cluster.time.release();
    const began = cluster.time.now.getTime();
    await run.cancel({ reason: "enough" });
    await expect(run.result()).rejects.toThrow("enough");
    expect(cluster.time.now.getTime() - began).toBeGreaterThanOrEqual(300_000);
    await cluster.stop();
  });

  test("of a race's loser goes on while the race waits for it", async () => {
    const body = workflow("loser", { version: 1 }, async (ctx) => {
      const order: string[] = [];
      await ctx.race({
        quick: async (own) => order.push(await own.step("quick", () => "quick")),
        slow: async (own) => {
          await own.waitFor(stop).catch((error: unknown) => {
            if (error instanceof CancelledError) throw error;
          });
          await own.shield(async (safe) => {
            await safe.sleep("30s");
            order.push("tidied");
          });
        },
      });
      order.push("after");
      return order;
    });
    await simulate(body, {
      input: undefined,
      seeds: 40,
      check: ({ status, result }) => {
        if (status === "completed") expect((result as string[]).slice(-2)).toEqual(["tidied", "after"]);
      },
    });
  });
});

describe("a condition", () => {
  test("holds at the same place on every node, over variables that signals change", async () => {
    const body = workflow("counting", { version: 1 }, async (ctx) => {
      const sum = await ctx.variable("sum", 0);
      const seen: number[] = [];
      const adding = (async () => {
        for (let at = 0; at < 4; at++) {
          const value = await ctx.waitFor(tick);
          await sum.update((before) => before + value);
        }
      })();
      const watching = ctx.condition(() => sum.value >= 3).then(() => seen.push(sum.value));
      const never = await ctx.condition(() => sum.value > 100, { timeout: "1s", name: "never" });
      const already = await ctx.condition(() => true, { timeout: "1s", name: "already" });
      await Promise.all([adding, watching]);
      return { never, already, seen, sum: sum.value };
    });
    await simulate(body, {
      input: undefined,
      seeds: SEEDS,
      during: async (run) => {
        for (const value of [1, 1, 1, 1]) await run.signal(tick, value);
      },
      check: ({ status, result, wasCancelled }) => {
        if (!wasCancelled)
          expect([status, result]).toEqual(["completed", { never: false, already: true, seen: [3], sum: 4 }]);
      },
    });
  });

  test("that throws rejects the call", async () => {
    const cluster = await TestCluster.start({
      workflows: [
        workflow("broken", { version: 1 }, (ctx) =>
          ctx.condition(() => {
            throw new RangeError("no");
          }),
        ),
      ],
    });
    const run = await cluster.workflows.start("broken", undefined);
    await expect(run.result()).rejects.toMatchObject({ failure: { name: "RangeError", message: "no" } });
    await cluster.stop();
  });
});

test("sleepUntil ends at the moment, and at once when it has passed", async () => {
  const cluster = await TestCluster.start({
    startAt: new Date("2030-01-01T00:00:00Z"),
    workflows: [
      workflow("until", { version: 1 }, async (ctx) => {
        await ctx.sleepUntil(new Date("2029-01-01T00:00:00Z"));
        const first = await ctx.now();
        await ctx.sleepUntil(new Date("2030-02-01T00:00:00Z"));
        return [first, await ctx.now()].map((ms) => new Date(ms).toISOString().slice(0, 10));
      }),
    ],
  });
  const run = await cluster.workflows.start("until", undefined);
  expect(await run.result()).toEqual(["2030-01-01", "2030-02-01"]);
  await cluster.stop();
});
