import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import { HandClock } from "../testing/hand-clock.ts";
import { Latch, type World, world } from "../testing/workflow-world.ts";
import { Places } from "./calls/steps/places.ts";

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);

/** Steps that wait for the test, and how many of them run at once. */
class Gauge {
  running = 0;
  most = 0;
  readonly begun: string[] = [];
  readonly #held = new Map<string, Latch>();

  /** A step's function that runs until it is let go. */
  readonly hold = (name: string) => async (): Promise<string> => {
    this.begun.push(name);
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    const latch = new Latch();
    this.#held.set(name, latch);
    await latch.opened;
    this.running -= 1;
    return name;
  };

  letGo(...names: readonly string[]): void {
    for (const name of names) this.#held.get(name)?.open();
  }
}

async function started<Output>(w: World, clock: HandClock, body: (ctx: WorkflowContext) => Promise<Output>) {
  const definition = workflow("mapping", { version: 1 }, async (ctx) => (await body(ctx)) as never);
  await w.startAll([definition], { clock });
  const run = await w.runtime(Math.max(...w.runtimes.keys())).startWorkflow(definition, undefined, { id: "r" });
  await clock.advance(0);
  return run;
}

describe("ctx.map", () => {
  test("gives the results in the order of the items, with so many items under way", async () => {
    const [w, clock, gauge] = [world([1]), new HandClock(), new Gauge()];
    const run = await started(w, clock, (ctx) =>
      ctx.map(numbers(5), (item, number) => item.step("s", gauge.hold(`${number}`)), { concurrency: 2 }),
    );
    expect(gauge.begun).toEqual(["0", "1"]);
    gauge.letGo("1");
    await clock.advance(0);
    expect(gauge.begun).toEqual(["0", "1", "2"]);
    gauge.letGo("0", "2");
    await clock.advance(0);
    gauge.letGo("3", "4");
    await clock.advance(0);
    expect(await run.result()).toEqual(["0", "1", "2", "3", "4"]);
    expect(gauge.most).toBe(2);
    const history = (await w.runtime(1).getRun("r"))?.history.map(([path]) => path).toSorted();
    expect(history).toEqual(numbers(5).map((at) => `map/${at}/s#0`));
  });

  test("rejects with the first failure and begins no further item (MA2)", async () => {
    const [w, clock, gauge] = [world([1]), new HandClock(), new Gauge()];
    const called: number[] = [];
    const run = await started(w, clock, async (ctx) => {
      const failed = ctx.map(
        numbers(9),
        async (item, number) => {
          called.push(number);
          // An item that keeps its cancellation to itself is no reason to begin another.
          await item.step("s", gauge.hold(`${number}`)).catch(() => {});
          if (number === 1) throw new Error(`item ${number} is broken`);
        },
        { concurrency: 3 },
      );
      const text = await failed.catch((error: Error) => error.message);
      await ctx.waitFor("go");
      return text;
    });
    gauge.letGo("1");
    await clock.advance(0);
    gauge.letGo("0", "2");
    await clock.advance(0);
    expect(gauge.begun).toEqual(["0", "1", "2"]);
    expect(called).toEqual([0, 1, 2]);
    await run.signal("go");
    await clock.advance(0);
    expect(await run.result()).toBe("item 1 is broken");
  });

  test("goes on where the owner died: recorded items are not carried out again", async () => {
    const w = world();
    const executed: string[] = [];
    const [stuck, begun] = [new Latch(), new Latch()];
    const body = workflow("mapping", { version: 1 }, (ctx) =>
      ctx.map(
        numbers(100),
        async (item, number) => {
          const first = await item.step("first", () => {
            executed.push(`first ${number}`);
            return number;
          });
          return await item.step("second", async () => {
            executed.push(`second ${number}`);
            if (ctx.nodeId === 3 && number === 60) {
              begun.open();
              await stuck.opened;
            }
            return first * 2;
          });
        },
        { concurrency: 4, name: "numbers" },
      ),
    );
    await w.startAll([body]);
    await w.runtime(3).startWorkflow(body, undefined, { id: "r" });
    await begun.opened;
    w.kill(3);
    w.runtimes.delete(3);
    w.cluster.reportLost(3);
    expect(await w.runtime(1).result("r")).toEqual(numbers(100).map((number) => number * 2));
    const twice = executed.filter((name, at) => executed.indexOf(name) !== at);
    expect(twice).toContain("second 60");
    // Only what was under way on the lost node.
    expect(twice.length).toBeLessThanOrEqual(4);
  });

  test("of 50,000 items holds only those that are under way, and takes any iterable", async () => {
    const [w, clock] = [world([1]), new HandClock()];
    let [underWay, most] = [0, 0];
    const run = await started(w, clock, async (ctx) => {
      const results = await ctx.map(new Set(numbers(50_000)), async (_, number, index) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await Promise.resolve();
        underWay -= 1;
        return number + index;
      });
      return results.reduce((sum, result) => sum + result, 0);
    });
    expect(await run.result()).toBe(50_000 * 49_999);
    expect(most).toBe(16);
  });

  test("and ctx.scope refuse a concurrency that is no whole number from 1", async () => {
    const [w, clock] = [world([1]), new HandClock()];
    const run = await started(w, clock, async (ctx) => {
      const codes: unknown[] = [];
      const note = (error: { readonly code?: unknown }): void => void codes.push(error.code);
      for (const concurrency of [0, 1.5, Number.NaN]) {
        await ctx.map([1], () => 1, { concurrency }).catch(note);
        await ctx.scope("s", () => 1, { concurrency }).catch(note);
      }
      return codes;
    });
    expect(await run.result()).toEqual(Array.from({ length: 6 }, () => "INPUT_INVALID"));
  });
});

describe("the concurrency of a scope", () => {
  test("bounds its steps and those of the scopes in it, in the order of their calls (PL2)", async () => {
    const [w, clock, gauge] = [world([1]), new HandClock(), new Gauge()];
    const run = await started(w, clock, (ctx) =>
      ctx.scope(
        "bounded",
        (bounded) =>
          Promise.all([
            bounded.step("a", gauge.hold("a")),
            bounded.scope("in", (inner) => inner.step("b", gauge.hold("b"))),
            bounded.step("c", gauge.hold("c")),
            ctx.step("free", gauge.hold("free")),
            bounded.step("d", gauge.hold("d")),
          ]),
        { concurrency: 2 },
      ),
    );
    expect(gauge.begun).toEqual(["a", "b", "free"]);
    gauge.letGo("b");
    await clock.advance(0);
    expect(gauge.begun).toEqual(["a", "b", "free", "c"]);
    gauge.letGo("a", "free", "c");
    await clock.advance(0);
    gauge.letGo("d");
    await clock.advance(0);
    expect(await run.result()).toEqual(["a", "b", "c", "free", "d"]);
  });

  test("of an inner scope holds no place of the outer one for steps that wait (PL3)", async () => {
    const [w, clock, gauge] = [world([1]), new HandClock(), new Gauge()];
    const run = await started(w, clock, (ctx) =>
      ctx.scope(
        "outer",
        async (outer) => {
          const inner = outer.scope(
            "inner",
            (narrow) => Promise.all(["a", "b", "c"].map((name) => narrow.step(name, gauge.hold(name)))),
            { concurrency: 1 },
          );
          return [...(await Promise.all([inner, outer.step("d", gauge.hold("d"))])).flat()];
        },
        { concurrency: 2 },
      ),
    );
    expect(gauge.begun).toEqual(["a", "d"]);
    for (const names of [["a", "d"], ["b"], ["c"]]) {
      gauge.letGo(...names);
      await clock.advance(0);
    }
    expect(await run.result()).toEqual(["a", "b", "c", "d"]);
  });

  test("keeps its places for attempts, and a cancellation ends the wait for one", async () => {
    const [w, clock] = [world([1]), new HandClock()];
    const called: string[] = [];
    const run = await started(w, clock, (ctx) =>
      ctx.scope(
        "one",
        (one) =>
          Promise.all(
            ["a", "b"].map((name) =>
              one.step(
                name,
                () => {
                  called.push(name);
                  throw new Error("no");
                },
                { retry: { initialDelay: "1h", maxDelay: "1h" } },
              ),
            ),
          ),
        { concurrency: 1 },
      ),
    );
    await clock.advance(1_000);
    expect(called).toEqual(["a"]);
    await run.cancel("enough");
    await clock.advance(0);
    await expect(run.result()).rejects.toThrow("enough");
    expect(called).toEqual(["a"]);
  });

  test("costs the same for each of 50,000 steps that wait", async () => {
    const places = new Places(1, undefined);
    const given: number[] = [];
    const never = () => () => {};
    const waits = numbers(50_000).map((at) => (places.take(never) ?? Promise.resolve()).then(() => given.push(at)));
    for (const _ of waits) places.release();
    await Promise.all(waits);
    expect(given).toEqual(numbers(50_000));
  });
});
