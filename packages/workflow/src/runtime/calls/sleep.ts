/**
 * `ctx.sleep`: records when to wake, and waits until then.
 *
 * SL1. A sleep that ends while other calls are open, or in a body that a message may go on with (body-calls.ts BC3), records that it did: the log decides what was first (answers.ts Q1).
 */

import type { CallSite } from "./call-site.ts";
import { moment } from "./moment.ts";
import { now } from "./now.ts";

/** Sleeps for `delayMs` from now on. */
export function sleep(site: CallSite, path: string, delayMs: number): Promise<void> {
  return sleepUntil(site, path, () => site.history.time.nowMs() + delayMs);
}

/** Sleeps until the run's time has reached a moment, in milliseconds since the epoch. `wakeAt` is called when none is recorded. */
export async function sleepUntil(site: CallSite, path: string, wakeAt: () => number): Promise<void> {
  const wakeAtMs = await moment(site, path, "sleep", wakeAt);
  const woke = `${path}/woke`;
  if (!site.history.has(woke)) {
    if (wakeAtMs > site.history.time.nowMs()) {
      const wait = { kind: "sleep", path, untilMs: wakeAtMs } as const;
      await site.body.waits.during(wait, () => site.park(() => alarm(site, wakeAtMs)));
    }
    await site.afterRecord(woke);
  }
  // Alone, the sleep ends after all that is recorded.
  if (site.body.hasSeveral || site.body.hasHandlers || site.history.has(woke)) await now(site, woke);
  else site.body.woke(path);
}

function alarm(site: CallSite, atMs: number): Promise<void> {
  const { branch, body } = site;
  return new Promise<void>((resolve, reject) => {
    const cancel = site.alarm(atMs, () => {
      stop();
      resolve();
    });
    const stop = branch.onStop((reason) => {
      cancel();
      if (!body.parts.interruption.isOver) reject(reason);
    });
  });
}
