/** `ctx.step`: calls a function until it has succeeded or failed for good, and records which. */
import { encodeValue } from "../../author/json-value.ts";
import type { StepContext, StepOptions } from "../../author/workflow-context.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { RuntimeProbe } from "../runtime-probe.ts";
import type { CallSite } from "./call-site.ts";
import { idempotencyKey, type KeyedRun } from "./idempotency-key.ts";
import { attemptStep, type StepSurroundings } from "./step-attempts.ts";
import { failureBytes, stepAnswer } from "./step-record.ts";

/** What the steps of one body share. */
export interface StepSetting {
  readonly run: KeyedRun;
  readonly workflowType: string;
  readonly surroundings: StepSurroundings;
  readonly probe: RuntimeProbe | undefined;
  /** A step's function as it is called: itself, unless a testing kit stands around it. */
  readonly intercepted: (path: string, fn: (step: StepContext) => unknown) => (step: StepContext) => unknown;
}

/** Runs one step to its record and resolves with the recorded value. Rejects with StepFailedError when the step has failed for good. */
export function step(
  site: CallSite,
  setting: StepSetting,
  path: string,
  fn: (step: StepContext) => unknown,
  options: StepOptions | undefined,
): Promise<unknown> {
  return site.once({
    path,
    kind: "step",
    record: () => site.whenSettled(() => site.activity.work(() => attempted(site, setting, path, fn, options))),
    answer: (record) => stepAnswer(path, record),
  });
}

async function attempted(
  site: CallSite,
  { run, workflowType, surroundings, probe, intercepted }: StepSetting,
  path: string,
  fn: (step: StepContext) => unknown,
  options: StepOptions | undefined,
): Promise<HistoryRecord> {
  const { clock, maxPayloadBytes } = site;
  const attempt = intercepted(path, fn);
  const startedMs = probe === undefined ? 0 : clock.monotonicMs();
  const outcome = await attemptStep(
    path,
    () => idempotencyKey(run, path),
    (step) => site.guard.run(path, () => attempt(step), step.attempt),
    (value) => encodeValue(value, `step ${path}`, maxPayloadBytes),
    options,
    surroundings,
  );
  const streamed = site.history.streams.written(path);
  if (streamed !== undefined) await streamed;
  probe?.stepFinished(workflowType, outcome.ok, outcome.attempts, clock.monotonicMs() - startedMs);
  if (!outcome.ok) return site.record(path, "step-failed", failureBytes(outcome.error, outcome.attempts));
  try {
    return await site.record(path, "step", outcome.value);
  } catch (error) {
    // The log takes smaller values than this runtime: the step has failed as if its value had been refused here.
    if ((error as { code?: unknown }).code !== "PAYLOAD_TOO_LARGE") throw error;
    return site.record(path, "step-failed", failureBytes(error, 1));
  }
}
