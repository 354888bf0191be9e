/** What a body sets in its async context is seen by everything that its calls call, on the first owner and on the next (body-place.ts BP3). */
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import { query } from "../author/query.ts";
import { saga } from "../author/saga.ts";
import { signal } from "../author/signal.ts";
import type { StandardSchemaV1 } from "../author/values/schema.ts";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import { fast, Latch, world } from "../testing/workflow-world.ts";

const tenant = new AsyncLocalStorage<string>();

/** Notes where a store is looked at, and what it is. */
type See = (where: string) => void;

interface Case {
  /** Runs with the store "own". */
  readonly body: (ctx: WorkflowContext, see: See) => Promise<unknown>;
  /** What the first owner sees; everything is "own". */
  readonly first: readonly string[];
  /** What the owner sees that replays it. */
  readonly again: readonly string[];
}

/** A schema that notes where it is asked, and gives the value as it is. */
function seeing(see: See): StandardSchemaV1<number, number> {
  const validate = (value: unknown) => {
    see("schema");
    return { value: value as number };
  };
  return { "~standard": { version: 1, vendor: "test", validate } };
}

const cases: Readonly<Record<string, Case>> = {
  "a step and what follows it": {
    body: async (ctx, see) => {
      await ctx.step("one", () => see("one"));
      see("between");
      await ctx.step("two", async () => {
        await Promise.resolve();
        see("two");
      });
    },
    first: ["between", "one", "two"],
    again: ["between"],
  },
  "parallel branches with bounded steps": {
    body: (ctx, see) =>
      ctx.scope(
        "bounded",
        (own) =>
          Promise.all(
            [1, 2, 3].map(async (part) => {
              await own.step(`part ${part}`, () => see("step"));
              see("branch");
            }),
          ),
        { concurrency: 1 },
      ),
    first: ["branch", "step"],
    again: ["branch"],
  },
  "a map": {
    body: (ctx, see) =>
      ctx.map(
        [1, 2, 3],
        async (own) => {
          see("item");
          await own.step("step", () => see("step"));
        },
        { concurrency: 2 },
      ),
    first: ["item", "step"],
    again: ["item"],
  },
  "a race, with losers that clean up": {
    body: (ctx, see) =>
      ctx.race({
        quick: (own) => own.step("quick", () => see("quick")),
        slow: async (own) => {
          try {
            await own.waitFor("never");
          } finally {
            see("loser");
          }
        },
      }),
    first: ["loser", "quick"],
    again: ["loser"],
  },
  "further attempts": {
    body: (ctx, see) =>
      ctx.step(
        "flaky",
        ({ attempt }) => {
          see(`attempt ${attempt}`);
          if (attempt === 1) throw new Error("no");
        },
        {
          retry: {
            ...fast,
            retryIf: () => {
              see("retryIf");
              return true;
            },
          },
        },
      ),
    first: ["attempt 1", "attempt 2", "retryIf"],
    again: [],
  },
  "functions of variables": {
    body: async (ctx, see) => {
      const state = await ctx.variable("state", () => {
        see("initial");
        return 1;
      });
      await state.update((before) => {
        see("update");
        return before + 1;
      });
    },
    first: ["initial", "update"],
    again: [],
  },
  "a schema": {
    body: async (ctx, see) => {
      await ctx.waitFor(signal("poke", seeing(see)));
      see("after");
    },
    first: ["after", "schema"],
    again: ["after"],
  },
  "the predicate of a condition": {
    body: async (ctx, see) => {
      let isPoked = false;
      const held = ctx.condition(() => {
        see("predicate");
        return isPoked;
      });
      await ctx.waitFor("poke");
      isPoked = true;
      await held;
      see("after");
    },
    first: ["after", "predicate"],
    again: ["after", "predicate"],
  },
  "the line of a log": {
    body: async (ctx, see) => {
      ctx.log.info({ see }, "a line");
      await ctx.step("step", () => ctx.log.info("a line of a step"));
    },
    first: ["a line", "a line of a step"],
    again: [],
  },
  "what undoes a step": {
    body: async (ctx, see) => {
      // Undone from another store than the one in which it was registered.
      const undone = tenant.run("saga's", () =>
        saga(ctx, async (steps) => {
          await tenant.run("own", () => steps.step("book", () => 1, { undo: () => see("undo") }));
          tenant.run("own", () => steps.undo("told", () => see("undo told")));
          throw new Error("full");
        }),
      );
      await undone.catch(() => see("after"));
    },
    first: ["after", "undo", "undo told"],
    again: ["after"],
  },
};

describe("a store that a body sets with AsyncLocalStorage is seen in", () => {
  test.each(Object.entries(cases))("%s", async (_, { body, first, again }) => {
    const seen: { readonly node: number; readonly where: string; readonly store: string | undefined }[] = [];
    const seeOn = (node: number) => (where: string) => void seen.push({ node, where, store: tenant.getStore() });
    const logger = (node: number) => {
      const write = (_fields: unknown, message: string) => {
        if (message.startsWith("a line")) seeOn(node)(message);
      };
      return { debug: write, info: write, warn: write, error: write };
    };
    const definition = workflow("tenants", { version: 1 }, (ctx) =>
      tenant.run("own", async () => {
        await body(ctx, seeOn(ctx.nodeId));
        await ctx.step("last", () => 1);
        await ctx.waitFor("go");
        seeOn(ctx.nodeId)("at the end");
      }),
    );
    const w = world([1, 2]);
    for (const node of [1, 2]) w.start(node, [definition], { logger: logger(node) });
    await Promise.all([w.runtime(1).registered, w.runtime(2).registered]);
    w.cluster.lead(1);
    const isRecorded = w.next("record-committed", ({ path }) => path === "last#0");
    const run = await tenant.run("stranger", async () => {
      const started = await w.runtime(2).startWorkflow(definition, undefined, { id: "r" });
      await started.signal("poke", 1);
      return started;
    });
    await Promise.race([isRecorded, run.result()]);
    w.kill(2);
    w.cluster.reportLost(2);
    await tenant.run("stranger", () => w.runtime(1).signal(run.id, "go"));
    await w.runtime(1).result(run.id);
    expect(placesOf(seen, 2)).toEqual(first);
    expect(placesOf(seen, 1)).toEqual([...again, "at the end"].toSorted());
    expect(new Set(seen.map(({ store }) => store))).toEqual(new Set(["own"]));
  });

  test("the handler of a query, on every node, and not that of who asks", async () => {
    const body = workflow("asked", { version: 1 }, (ctx) =>
      tenant.run("own", async () => {
        ctx.onQuery(query<string>("whose"), () => tenant.getStore() ?? "none");
        await ctx.waitFor("go");
      }),
    );
    const w = world([1, 2]);
    await w.startAll([body]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    for (const node of [1, 2])
      expect(await tenant.run("stranger", () => w.runtime(node).query("r", "whose"))).toBe("own");
  });

  test("the listeners of a signal that somebody else aborts", async () => {
    const seen: unknown[] = [];
    const entered = new Latch();
    const listen = (where: string, { signal: aborted }: { readonly signal: AbortSignal }) =>
      aborted.addEventListener("abort", () => seen.push([where, tenant.getStore()]));
    const body = workflow("aborted", { version: 1 }, (ctx) =>
      tenant.run("own", async () => {
        listen("body", ctx);
        await ctx.step("step", (step) => {
          tenant.run("step's", () => listen("step", step));
          entered.open();
          return new Promise(() => {});
        });
      }),
    );
    const w = world([1]);
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    await entered.opened;
    await tenant.run("stranger", () => run.cancel());
    await expect(run.result()).rejects.toThrow();
    // As with every event: the context is that of who asked for the signal first.
    expect(seen).toEqual([
      ["step", "step's"],
      ["body", "own"],
    ]);
  });
});

test("what a function of a step enters ends with it, so that a body goes on alike on the first run and on a replay", async () => {
  const seen: unknown[] = [];
  const body = workflow("entering", { version: 1 }, (ctx) =>
    tenant.run("own", async () => {
      const steps = ["a", "b"].map((name) => {
        const step = ctx.step(name, () => tenant.enterWith(name));
        seen.push(tenant.getStore());
        return step;
      });
      await Promise.all(steps);
      seen.push(tenant.getStore());
    }),
  );
  const w = world([1]);
  await w.startAll([body]);
  const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
  await run.result();
  expect(seen).toEqual(["own", "own", "own"]);
});

/** Where something was seen on a node, each place once. */
function placesOf(seen: readonly { readonly node: number; readonly where: string }[], on: number): readonly string[] {
  const places = seen.filter(({ node }) => node === on).map(({ where }) => where);
  return [...new Set(places)].toSorted();
}
