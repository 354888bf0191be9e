/** Actions that have no others in them: each is one context call, or a few in a row. */
import { type StepContext, TerminalError } from "@raftoral/workflow";
import type { Action, StepAction } from "../program/program.ts";
import { type BodySite, STEP_STREAM } from "./body-site.ts";
import type { leaf } from "./leaf.ts";

type Of<Do extends Action["do"]> = Action & { readonly do: Do };

/** Runs a step, with a chunk of the body before every second one and chunks of its own. */
export async function performStep(site: BodySite, action: StepAction): Promise<unknown> {
  const { name, value, isVolatile, failures, attempts, retryDelayMs, hangs, beats } = action;
  if (value % 2 === 0) await site.write();
  const { course, probe } = site;
  const said = site.ctx.stream<string>(STEP_STREAM);
  const call = (step: StepContext): number | Promise<number> => {
    probe.stepCalled(site.ctx, step.idempotencyKey, course);
    if (beats) beat(step);
    if (hangs && step.attempt === 1) return new Promise<never>(() => {});
    if (step.attempt <= failures) throw new Error(`attempt ${step.attempt} of ${name} fails`);
    const gave = isVolatile ? probe.fresh() : value;
    return value % 3 === 0 ? said.write(step.idempotencyKey).then(() => gave) : gave;
  };
  const retry = { attempts, initialDelay: retryDelayMs, jitter: 0 };
  return await site.told(site.ctx.step(name, call, { retry, timeout: "5s" }), site.paths.next(name));
}

/** An attempt says its number. Throws when one before it, on whatever node, was counted higher. */
function beat(step: StepContext): void {
  const { attempt, heartbeatDetails: before } = step;
  if (before !== undefined && !(Number(before) <= attempt))
    throw new TerminalError(`attempt ${attempt} follows ${String(before)}`);
  step.heartbeat(attempt);
}

/** Begins a step or a sleep that the body does not wait for. */
export function beginDetached(site: BodySite, { name, sleeps }: Of<"detached">): void {
  const { course } = site;
  const call = (step: StepContext): string => {
    site.probe.stepCalled(site.ctx, step.idempotencyKey, course);
    return "detached";
  };
  const left = sleeps ? site.told(site.ctx.sleep(100)) : site.told(site.ctx.step(name, call), site.paths.next(name));
  left.catch(() => {});
}

/** Waits for a signal. */
export async function performWait(site: BodySite, { signal, timeoutMs }: Of<"wait">): Promise<unknown> {
  if (timeoutMs === undefined) {
    const payload = await site.told(site.ctx.waitFor(signal));
    site.shared.received.push(Number(payload));
    return { [signal]: payload ?? null };
  }
  const { timedOut, payload } = await site.told(site.ctx.waitFor(signal, { timeout: timeoutMs }));
  if (!timedOut) site.shared.received.push(Number(payload));
  return { [signal]: payload ?? null, timedOut };
}

/** Hands a token out by a step, and waits for its answer. */
export async function performToken(site: BodySite, action: Of<"token">): Promise<unknown> {
  const { name, answerAfterMs, timeoutMs } = action;
  const token = await site.told(site.ctx.token<string>(name, timeoutMs === undefined ? {} : { timeout: timeoutMs }));
  const { course } = site;
  const handOut = (step: StepContext): void => {
    site.probe.stepCalled(site.ctx, step.idempotencyKey, course);
    site.probe.handedOut(token.id, answerAfterMs);
  };
  await site.told(site.ctx.step("hand out", handOut), site.paths.next("hand out"));
  return { [name]: await site.told(token.answer()) };
}

/** Makes a variable and changes it. */
export async function performVariable(site: BodySite, { name, sets, fails }: Of<"variable">): Promise<unknown> {
  const initial = (): number => {
    if (fails === "always" || (fails === "once" && site.probe.initialFails(name))) {
      throw new TerminalError(`variable ${name} has no beginning`);
    }
    return 1;
  };
  // A value that is given can be recomputed, and waits for company on its way into the log; what a function gives does not.
  const held = await site.told(site.ctx.variable<number>(name, fails === "never" ? 1 : initial));
  for (let at = 0; at < sets; at++) await site.told(held.update((value) => value * 2 + at));
  return held.value;
}

/** Runs a child to its end. */
export async function performChild(site: BodySite, { ms, value, fails }: Of<"child">): Promise<unknown> {
  return await site.told(site.ctx.run<typeof leaf>("leaf", { ms, value, fails }));
}
