// @module-tag slow
import { signal, TokenExpiredError, type WorkflowContext, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import type { Run } from "../../api/workflows.ts";
import type { TestCluster } from "../cluster/test-cluster.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 50;
const tick = signal<number>("tick");

/** Gives out a token, by a variable that outside systems read. */
async function handedOut<Answer>(ctx: WorkflowContext, name: string, timeout?: "1s") {
  const token = await ctx.token<Answer>(name, timeout === undefined ? {} : { timeout });
  await ctx.variable(`token ${name}`, token.id);
  return token;
}

/** The token that a run has handed out, once it has; undefined when the run has ended before. */
async function tokenOf(run: Run, cluster: TestCluster, name: string): Promise<string | undefined> {
  for (;;) {
    const token = await run.variable(`token ${name}`);
    if (typeof token === "string") return token;
    if ((await run.describe()).status !== "running") return undefined;
    await Promise.race([cluster.after(10), run.wait()]);
  }
}

test("an answer reaches the body once, in its place, whatever happens to owners before, meanwhile and after", async () => {
  const body = workflow("approval", { version: 1 }, async (ctx) => {
    const course: unknown[] = [];
    const token = await handedOut<string>(ctx, "approval");
    const asking = token.answer().then((answer) => course.push(answer));
    const counting = (async () => {
      for (let at = 0; at < 3; at++) {
        course.push(await ctx.step(`step ${at}`, () => at));
        course.push(await ctx.waitFor(tick));
      }
    })();
    await Promise.all([asking, counting]);
    // A replay that takes another course asks for another step, and differs from its history.
    await ctx.step(`course ${course.join()}`, () => undefined);
    return [course.toSorted(), await token.answer()];
  });
  await simulate(body, {
    input: undefined,
    seeds: SEEDS,
    during: async (run, cluster) => {
      await run.signal(tick, 10);
      const token = await tokenOf(run, cluster, "approval");
      await run.signal(tick, 11);
      if (token !== undefined) await cluster.workflows.answer(token, "yes").catch(endedBefore);
      await run.signal(tick, 12);
    },
    check: ({ status, result, wasCancelled }) => {
      if (!wasCancelled) expect([status, result]).toEqual(["completed", [[0, 1, 10, 11, 12, 2, "yes"], "yes"]]);
    },
  });
});

test("an answer and a deadline: one of them stands, for the body, its later owners, and those who answer", async () => {
  const ends = { answered: 0, expired: 0 };
  const told = new Map<string, string>();
  const body = workflow("deadline", { version: 1 }, async (ctx) => {
    const token = await handedOut<string>(ctx, "approval", "1s");
    const first = await token.answer().catch((error: unknown) => {
      if (error instanceof TokenExpiredError) return "expired";
      throw error;
    });
    await ctx.step(`after ${first}`, () => undefined);
    await ctx.sleep("2s");
    return first;
  });
  let runs = 0;
  await simulate(body, {
    input: undefined,
    seeds: SEEDS,
    during: async (run, cluster) => {
      const nth = runs++;
      told.delete("last");
      const token = await tokenOf(run, cluster, "approval");
      // Time stands still once the run has ended.
      await Promise.race([cluster.after(900 + 20 * (nth % 10)), run.wait()]);
      if (token === undefined) return;
      const said = await cluster.workflows.answer(token, "answered").then(
        () => "answered",
        (error: { readonly code: string }) => error.code,
      );
      told.set("last", said);
    },
    check: ({ status, result, wasCancelled }) => {
      if (wasCancelled) return;
      expect(status).toBe("completed");
      const said = told.get("last");
      expect([said, result]).toEqual(said === "answered" ? ["answered", "answered"] : ["TOKEN_EXPIRED", "expired"]);
      ends[result as "answered" | "expired"] += 1;
    },
  });
  expect(Math.min(ends.answered, ends.expired)).toBeGreaterThan(5);
});

/** A run that was cancelled meanwhile takes no answer. */
function endedBefore(error: unknown): void {
  if ((error as { readonly code?: unknown }).code !== "WORKFLOW_FINISHED") throw error;
}
