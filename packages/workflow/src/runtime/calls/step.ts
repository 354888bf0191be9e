/** `ctx.step`: calls a function until it has succeeded or failed for good, and records which. */
import type { CallSite } from "./call-site.ts";
import { attemptStep, type StepCall, type StepSetting } from "./step-attempts.ts";
import { stepAnswer } from "./step-record.ts";

/** See the file's head. Rejects with StepFailedError. */
export function step(site: CallSite, setting: StepSetting, call: StepCall): Promise<unknown> {
  const { path } = call;
  return site.once({
    path,
    kind: "step",
    record: () => site.whenSettled(() => attemptStep(site, setting, call)),
    answer: (record) => stepAnswer(path, record),
  });
}
