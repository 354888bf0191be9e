/** `ctx.step`: calls a function until it has succeeded or failed for good, and records which. */
import type { HistoryRecord } from "../../../model/record.ts";
import type { CallSite } from "../call-site.ts";
import type { Places } from "./places.ts";
import { attemptStep, type StepCall, type StepSetting } from "./step-attempts.ts";
import { stepAnswer } from "./step-record.ts";

/** Runs one step to its record and resolves with the recorded value. Rejects with StepFailedError when the step has failed for good. */
export function step(site: CallSite, setting: StepSetting, call: StepCall): Promise<unknown> {
  const { path } = call;
  const begin = (): Promise<HistoryRecord> => site.whenSettled(() => attemptStep(site, setting, call));
  return site.once({
    path,
    kind: "step",
    record: () => (site.places === undefined ? begin() : inPlaces(site, site.places, begin)),
    answer: (record) => stepAnswer(path, record),
  });
}

/** Runs `begin` with a place of each scope (places.ts PL1, PL3). Rejects with what ends the wait. */
async function inPlaces<T>(site: CallSite, innermost: Places, begin: () => Promise<T>): Promise<T> {
  const taken: Places[] = [];
  try {
    for (let places: Places | undefined = innermost; places !== undefined; places = places.outer) {
      const wait = places.take((fn) => site.branch.onStop(fn));
      if (wait !== undefined) await site.park(() => wait);
      taken.push(places);
    }
    const gate = site.gate();
    if (gate !== undefined) await gate;
    return await begin();
  } finally {
    for (const places of taken) places.release();
  }
}
