/**
 * `ctx.waitFor`: takes the next signal of a name, or records that none came in time.
 *
 * WF1. The state decides who gets which signal; this side only asks when one is probably there (signal-inbox.ts).
 */
import { NonDeterminismError } from "../../author/errors.ts";
import { decodeValue } from "../../author/json-value.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { SignalInbox } from "../execution/signal-inbox.ts";
import { alarmAt } from "./alarm.ts";
import type { CallSite } from "./call-site.ts";
import { moment } from "./moment.ts";

/** The payload; with `timeoutMs`, whether it came in time. */
export function waitFor(
  site: CallSite,
  inbox: SignalInbox,
  path: string,
  name: string,
  timeoutMs: number | undefined,
): Promise<unknown> {
  const deadline = `${path}/deadline`;
  return site.once({
    path,
    kind: "signal",
    record: async () => {
      const atMs = timeoutMs === undefined ? undefined : await moment(site, deadline, "wait-deadline", timeoutMs);
      return await received(site, inbox, path, name, atMs);
    },
    answer: (found) => answerOf(found, path, name, timeoutMs !== undefined),
    onReplay: () => {
      if (timeoutMs !== undefined) site.history.find(deadline, "wait-deadline");
    },
  });
}

function answerOf(record: HistoryRecord, path: string, name: string, hasTimeout: boolean): unknown {
  const timedOut = record.kind === "signal-timeout";
  const payload = timedOut ? undefined : decodeValue(record.value, `signal ${name}`);
  if (hasTimeout) return timedOut ? { timedOut } : { timedOut, payload };
  // The timeout was taken out of the code while the run was waiting: it has no payload to go on with.
  if (timedOut) throw new NonDeterminismError(path, "a signal, without a timeout", "that none came in time");
  return payload;
}

async function received(
  site: CallSite,
  inbox: SignalInbox,
  path: string,
  name: string,
  deadlineMs: number | undefined,
): Promise<HistoryRecord> {
  const { history, activity } = site;
  for (;;) {
    const timedOut = deadlineMs !== undefined && deadlineMs <= history.time.nowMs();
    if (inbox.claim(name) || timedOut) {
      const record = await activity.work(() => history.receive(path, name, timedOut));
      if (record !== undefined) return record;
    }
    if (!inbox.has(name)) await activity.park(() => signalOrDeadline(site, inbox, name, deadlineMs));
    await site.gate();
  }
}

function signalOrDeadline(
  { clock, history, interruption }: CallSite,
  inbox: SignalInbox,
  name: string,
  deadlineMs: number | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopAlarm = (): void => {};
    const stopInbox = inbox.listen(name, () => done());
    const stopInterruption = interruption.listen((reason) => {
      stopInbox();
      stopAlarm();
      if (!interruption.isOver) reject(reason);
    });
    const done = (): void => {
      stopInbox();
      stopAlarm();
      stopInterruption();
      resolve();
    };
    if (deadlineMs !== undefined) stopAlarm = alarmAt(clock, history.time, deadlineMs, done);
  });
}
