/**
 * Sagas: steps with what undoes them.
 *
 * SG1. When the function of a saga throws, also because its run or branch is cancelled, what was done is undone: in reverse order, in a shield, each as a step, so that it
 *      is recorded, tried again by its policy, and continued by the next owner.
 * SG2. A step is undone once it is recorded. A step that failed, or that was cut off by a cancellation, may have done its work all the same: register its undo with
 *      {@link Saga.undo} before it where that matters.
 * SG3. An undo that fails for good keeps no other from being carried out.
 * SG4. An undo runs in the async context in which it was registered: what the author's code set there (AsyncLocalStorage) is seen in it, on every owner.
 */

import { AsyncResource } from "node:async_hooks";
import { CompensationFailedError, StepFailedError } from "./errors/errors.ts";
import type { Duration } from "./values/duration.ts";
import type { Recordable, Recorded } from "./values/recorded.ts";
import type { StepContext, StepOptions, WorkflowContext } from "./workflow-context.ts";

/** Options of a saga's step: those of a step, and what undoes it. */
export interface SagaStepOptions<Value> extends StepOptions {
  /** Undoes what the step has done, given what is recorded of it. Runs as a step: at least once. */
  readonly undo: (value: Value, step: StepContext) => unknown;
  /** Retries and time limits of the undo. */
  readonly undoOptions?: StepOptions;
}

/** Options of a saga. */
export interface SagaOptions {
  /** Names the scope of the saga in the history ("saga"). */
  readonly name?: string;
  /** How long all undoing together may take ("10m"). */
  readonly undoTimeout?: Duration;
}

/** What the function of a saga is given. */
export interface Saga {
  /** The context of the saga's scope, for everything but what is to be undone. */
  readonly ctx: WorkflowContext;
  /** A step with what undoes it. Rejects with StepFailedError. */
  step<Value extends Recordable<Value>>(
    name: string,
    fn: (step: StepContext) => Value | Promise<Value> | PromiseLike<Value>,
    options: SagaStepOptions<Recorded<Value>>,
  ): Promise<Recorded<Value>>;
  /** Registers something to undo, under the name that its step will have. */
  undo(name: string, fn: (step: StepContext) => unknown, options?: StepOptions): void;
}

interface Undo {
  readonly name: string;
  readonly run: (step: StepContext) => unknown;
  readonly options: StepOptions | undefined;
  /** Where it was registered (SG4). */
  readonly context: AsyncResource;
}

const DEFAULT_UNDO_TIMEOUT = "10m";

/**
 * Runs `fn`, and undoes what it did when it throws (SG1). Resolves with what `fn` gives. Rejects with what `fn` threw once everything is undone, or with
 * CompensationFailedError when something could not be undone.
 */
export async function saga<Result>(
  ctx: WorkflowContext,
  fn: (saga: Saga) => Result | Promise<Result>,
  { name = "saga", undoTimeout = DEFAULT_UNDO_TIMEOUT }: SagaOptions = {},
): Promise<Result> {
  return await ctx.scope(name, async (own) => {
    const undos: Undo[] = [];
    const register = (undo: Omit<Undo, "context">): void => {
      undos.push({ ...undo, context: new AsyncResource("RAFTORAL_UNDO") });
    };
    const steps: Saga = {
      ctx: own,
      step: async (stepName, run, { undo, undoOptions, ...options }) => {
        const value = await own.step(stepName, run, options);
        register({ name: stepName, run: (step) => undo(value, step), options: undoOptions });
        return value;
      },
      undo: (undoName, run, options) => register({ name: undoName, run, options }),
    };
    try {
      return await fn(steps);
    } catch (error) {
      const failures = await undone(own, undos, undoTimeout);
      throw failures.length === 0 ? error : new CompensationFailedError(failures, error);
    }
  });
}

/** The failures of those that could not be undone (SG3). */
async function undone(ctx: WorkflowContext, undos: readonly Undo[], timeout: Duration): Promise<StepFailedError[]> {
  const failures: StepFailedError[] = [];
  if (undos.length === 0) return failures;
  await ctx.shield(
    async (safe) => {
      for (const { name, run, options, context } of undos.toReversed()) {
        try {
          await context.runInAsyncScope(() => safe.step(name, async (step) => void (await run(step)), options));
        } catch (error) {
          if (!(error instanceof StepFailedError)) throw error;
          failures.push(error);
        }
      }
    },
    { name: "undo", timeout },
  );
  return failures;
}
