/** The workflow that interprets programs. Its input is the program; its result is what every part of the program gave. */
import { TerminalError, type WorkflowContext, workflow } from "@raftoral/workflow";
import type { Action, Program } from "./program.ts";

/** What one execution of a step's function is to do: decided by the test, for the function must not depend on its run's record. */
export type StepScript = (path: {
  readonly name: string;
  readonly attempt: number;
  readonly action: Action & { do: "step" };
}) => unknown;

/** Interprets {@link Program}s. */
export const program = workflow("program", { version: 1 }, async (ctx, { body }: Program) => perform(ctx, body));

async function perform(ctx: WorkflowContext, action: Action): Promise<unknown> {
  switch (action.do) {
    case "step":
      return step(ctx, action);
    case "sequence": {
      const results: unknown[] = [];
      for (const one of action.actions) results.push(await perform(ctx, one));
      return results;
    }
    case "all":
      return Promise.all(branches(ctx, action.branches));
    case "race":
      return Promise.race(branches(ctx, action.branches));
    case "any":
      return Promise.any(branches(ctx, action.branches));
    case "allSettled":
      return (await Promise.allSettled(branches(ctx, action.branches))).map((one) =>
        one.status === "fulfilled" ? { gave: one.value ?? null } : { failed: nameOf(one.reason) },
      );
    case "scope":
      return ctx.scope(action.name, (inner) => perform(inner, action.body));
    case "loop": {
      const results: unknown[] = [];
      for (let round = 0; round < action.times; round++) results.push(await perform(ctx, action.body));
      return results;
    }
    case "variable":
      return variable(ctx, action);
    case "sleep":
      await ctx.sleep(action.ms);
      return "slept";
    case "wait": {
      const { signal, timeoutMs } = action;
      if (timeoutMs === undefined) return { [signal]: (await ctx.waitFor(signal)) ?? null };
      const { timedOut, payload } = await ctx.waitFor(signal, { timeout: timeoutMs });
      return { [signal]: payload ?? null, timedOut };
    }
    case "random":
      return [ctx.random(), ctx.uuid()];
    case "now":
      return typeof (await ctx.now());
    case "try":
      return attempt(ctx, action);
    case "detached":
      // raftoral-check-disable-next-line unawaited-call -- a step without a wait is what this action is
      void ctx.step(action.name, () => "detached");
      return "begun";
    case "noise":
      for (let turn = 0; turn < action.turns; turn++) await Promise.resolve();
      return "noise";
    case "throw":
      throw new Error(action.message);
  }
}

function branches(ctx: WorkflowContext, actions: readonly Action[]): readonly Promise<unknown>[] {
  // raftoral-check-disable-next-line unawaited-call -- Promise.all and its kin wait for the list where it is used
  return actions.map((action) => ctx.scope("branch", (branch) => perform(branch, action)));
}

function step(
  ctx: WorkflowContext,
  { name, value, failures, attempts, hangs }: Action & { do: "step" },
): Promise<unknown> {
  return ctx.step(
    name,
    ({ attempt }) => {
      if (hangs && attempt === 1) return new Promise<never>(() => {});
      if (attempt <= failures) throw new Error(`attempt ${attempt} of ${name} fails`);
      return value;
    },
    { retry: { attempts, initialDelay: 10, jitter: 0 }, timeout: "5s" },
  );
}

async function variable(ctx: WorkflowContext, { name, sets, fails }: Action & { do: "variable" }): Promise<unknown> {
  const held = await ctx.variable<number>(name, () => {
    if (fails) throw new TerminalError(`variable ${name} has no beginning`);
    return 1;
  });
  for (let at = 0; at < sets; at++) await held.update((value) => value * 2 + at);
  return held.value;
}

async function attempt(
  ctx: WorkflowContext,
  { body, caught, finally: last }: Action & { do: "try" },
): Promise<unknown> {
  const results: unknown[] = [];
  try {
    results.push(await perform(ctx, body));
  } catch (error) {
    results.push(nameOf(error));
    if (caught === undefined) throw error;
    results.push(await perform(ctx, caught));
  } finally {
    if (last !== undefined) results.push(await perform(ctx, last));
  }
  return results;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}
