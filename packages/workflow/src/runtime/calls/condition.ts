/**
 * `ctx.condition`: waits until a predicate over the body's own state holds.
 *
 * CO1. The predicate is asked whenever the body has come to rest: soon after the call, and before each answer (answers.ts). Between two answers only the
 *      body's own code runs, so a replay finds it true at the same place, and nothing is recorded.
 * CO2. The predicate is asked in the async context of the call, whatever has woken the body (body-place.ts BP3).
 */
import { CallerContext } from "../body/body-place.ts";
import type { CallSite } from "./call-site.ts";
import { sleep } from "./sleep.ts";

/** Whether a condition came to hold before a time was over, which is recorded at `path`. */
export function inTime(site: CallSite, held: Promise<void>, path: string, timeoutMs: number): Promise<boolean> {
  const late = site.call(() => sleep(site, path, timeoutMs));
  return Promise.race([held.then(() => true), late.then(() => false)]);
}

/** Resolves once `holds` gives true. Rejects with what it throws. To be used within {@link CallSite.call}. */
export function condition(site: CallSite, holds: () => boolean): Promise<void> {
  const { answers } = site.body.parts;
  const caller = new CallerContext();
  return new Promise((resolve, reject) => {
    const settled = Promise.withResolvers<void>();
    const stop = (): void => {
      stopAsking();
      settled.resolve();
    };
    const stopAsking = answers.onRest(() => {
      try {
        if (!caller.run(holds)) return false;
        resolve();
      } catch (error) {
        reject(error);
      }
      stop();
      return true;
    });
    site.branch.onCancelled(stop);
    // The body gives its slot back meanwhile. It goes on in this turn all the same, as on a replay, and takes a slot with its next work.
    void site.park(() => site.body.waits.during({ kind: "condition", path: "" }, () => settled.promise));
  });
}
