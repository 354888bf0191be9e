/** Carries out a {@link Plan}; what it returns can be worked out from the record alone (`expected.ts`). */
import { type StepContext, StepFailedError, type Variable, type WorkflowContext, workflow } from "@raftoral/workflow";
import type { Journal } from "./journal.ts";
import { type Operation, type Plan, SIGNAL } from "./plan.ts";

const RETRY = { attempts: 3, initialDelay: 1, jitter: 0 } as const;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The definition of the workflow that carries out plans. Its steps note their executions in `journal`. */
export function randomWorkflow(journal: Journal) {
  return workflow("random", { version: 1 }, async (ctx, plan: Plan) => {
    const counter = await ctx.variable("counter", 0);
    const values = await perform(ctx, plan, counter, journal);
    return { values, counter: counter.value };
  });
}

async function perform(ctx: WorkflowContext, plan: Plan, counter: Variable<number>, journal: Journal) {
  const values: unknown[] = [];
  for (const operation of plan) values.push(await operate(ctx, operation, counter, journal));
  return values;
}

async function operate(
  ctx: WorkflowContext,
  operation: Operation,
  counter: Variable<number>,
  journal: Journal,
): Promise<unknown> {
  const { name } = operation;
  const execute = async (step: StepContext, ms: number): Promise<string> => {
    const token = journal.begin(ctx.runId, step);
    if (ms > 0) await pause(ms);
    return token;
  };
  switch (operation.kind) {
    case "step":
      return await ctx.step(name, (step) => execute(step, operation.ms));
    case "flaky":
      return await ctx
        .step(
          name,
          async (step) => {
            const token = await execute(step, 0);
            if (step.attempt <= operation.failures) throw new Error(token);
            return token;
          },
          { retry: RETRY },
        )
        .catch((error: unknown) => {
          // Anything else is the runtime's, and none of this body's to catch.
          if (!(error instanceof StepFailedError)) throw error;
          return { failed: error.failure.message, attempts: error.attempts };
        });
    case "draw": {
      const drawn = [ctx.random(), ctx.uuid()];
      return { drawn, recorded: await ctx.step(name, () => drawn) };
    }
    case "sleep":
      return (await ctx.sleep(operation.ms, { name })) ?? "slept";
    case "now":
      return await ctx.scope(name, (scope) => scope.now());
    case "wait":
      return await ctx.scope(name, async (scope) => {
        const { timeoutMs } = operation;
        if (timeoutMs === undefined) return await scope.waitFor(SIGNAL);
        const got = await scope.waitFor(SIGNAL, { timeout: timeoutMs });
        return got.timedOut ? "timed out" : got.payload;
      });
    case "variable": {
      const variable = await ctx.variable(name, () => 0);
      for (let value = 1; value <= operation.sets; value++) await variable.set(value);
      return variable.value;
    }
    case "count":
      await counter.update((value) => value + 1);
      return "counted";
    case "race": {
      const winner = await Promise.race([
        ctx.step(name, (step) => execute(step, operation.stepMs)).then(() => "step"),
        ctx.sleep(operation.sleepMs, { name: `${name}-sleep` }).then(() => "sleep"),
      ]);
      await ctx.step(`${name}-after-${winner}`, (step) => execute(step, 0));
      return winner;
    }
    case "parallel":
      return await Promise.all(
        operation.branches.map((branch) => ctx.scope(name, (scope) => perform(scope, branch, counter, journal))),
      );
  }
}
