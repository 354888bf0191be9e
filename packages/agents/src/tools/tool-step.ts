/** The step that a tool runs in, for tools that hand its idempotency key to outside systems. */
import type { StepContext } from "@raftoral/workflow";

const steps = new WeakMap<object, StepContext>();

/** The options of a tool's call, bound to the step that it runs in. */
export function inStep<Options extends object>(options: Options, step: StepContext): Options {
  steps.set(options, step);
  return options;
}

/**
 * The step that the call of a tool runs in: `stepOf(options).idempotencyKey`, its heartbeats, its attempt. `options` is the second argument of the tool's `execute`.
 * Undefined where the tool is called outside of a recorded call, in a test of its own for example.
 */
export function stepOf(options: object): StepContext | undefined {
  return steps.get(options);
}
