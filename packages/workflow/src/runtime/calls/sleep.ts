/**
 * `ctx.sleep`: records when to wake, and waits until then.
 *
 * SL1. A sleep that ends while other calls are open records that it did: the log decides what was first (answers.ts Q1).
 */

import { alarmAt } from "./alarm.ts";
import type { CallSite } from "./call-site.ts";
import { moment } from "./moment.ts";
import { now } from "./now.ts";

/** Sleeps for `delayMs` of the run's time. Resolves once the wake-up is the next answer of the body (SL1). */
export async function sleep(site: CallSite, path: string, delayMs: number): Promise<void> {
  const wakeAtMs = await moment(site, path, "sleep", delayMs);
  const woke = `${path}/woke`;
  if (!site.history.has(woke)) {
    if (wakeAtMs > site.history.time.nowMs()) await site.activity.park(() => alarm(site, wakeAtMs));
    await site.afterRecord(woke);
  }
  // Alone, the sleep ends after all that is recorded.
  if (site.hasSeveral || site.history.has(woke)) await now(site, woke);
}

function alarm({ clock, history, interruption }: CallSite, atMs: number): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const cancel = alarmAt(clock, history.time, atMs, () => {
      stop();
      resolve();
    });
    const stop = interruption.listen((reason) => {
      cancel();
      if (!interruption.isOver) reject(reason);
    });
  });
}
