/** `ctx.step`: calls a function until it has succeeded or failed for good, and records which. */
import type { HistoryRecord } from "../../model/record.ts";
import type { CallSite } from "./call-site.ts";
import { inPlaces, type Places } from "./places.ts";
import { attemptStep, type StepCall, type StepSetting } from "./step-attempts.ts";
import { stepAnswer } from "./step-record.ts";

/**
 * Runs one step to its record and resolves with the recorded value. `places`: those of the innermost bounded scope around the step. Rejects with
 * StepFailedError when the step has failed for good.
 */
export function step(
  site: CallSite,
  setting: StepSetting,
  call: StepCall,
  places: Places | undefined,
): Promise<unknown> {
  const { path } = call;
  const begin = (): Promise<HistoryRecord> => site.whenSettled(() => attemptStep(site, setting, call));
  return site.once({
    path,
    kind: "step",
    record: () => (places === undefined ? begin() : inPlaces(site, places, setting.surroundings.onInterrupt, begin)),
    answer: (record) => stepAnswer(path, record),
  });
}
