/**
 * `ctx.waitFor`: takes the next signal of a name, or records that none came in time.
 *
 * WF1. The state decides who gets which signal; this side only asks when one is probably there (signal-inbox.ts).
 * WF2. A wait whose run is cancelled or held takes no signal and records no timeout: it looks at the gate before each command it proposes.
 */
import { NonDeterminismError } from "../../author/errors.ts";
import { decodeValue } from "../../author/json-value.ts";
import { type StandardSchemaV1, signalOf } from "../../author/schema.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { SignalInbox } from "../execution/signal-inbox.ts";
import { alarmAt } from "./alarm.ts";
import type { CallSite } from "./call-site.ts";
import { moment } from "./moment.ts";
import { parsed } from "./parsed.ts";

/** One wait. */
export interface Wait {
  readonly path: string;
  readonly name: string;
  readonly timeoutMs: number | undefined;
  /** Makes of the payload what the body gets. */
  readonly schema: StandardSchemaV1 | undefined;
}

/** The payload; with `timeoutMs`, whether it came in time. Rejects with SIGNAL_INVALID when the schema does not take the payload. */
export async function waitFor(site: CallSite, inbox: SignalInbox, wait: Wait): Promise<unknown> {
  const { path, name, timeoutMs, schema } = wait;
  const record = await receipt(site, inbox, wait);
  if (record.kind === "signal-timeout") {
    // The timeout was taken out of the code while the run was waiting: it has no payload to go on with.
    if (timeoutMs === undefined) {
      throw new NonDeterminismError(path, {
        expected: "a signal, without a timeout",
        recorded: "that none came in time",
      });
    }
    return { timedOut: true };
  }
  const raw = decodeValue(record.value, `signal ${name}`);
  const subject = signalOf(name);
  const payload = schema === undefined ? raw : await parsed(site, { path: `${path}/parsed`, schema, raw, subject });
  return timeoutMs === undefined ? payload : { timedOut: false, payload };
}

/** The record of the signal, or of none in time. */
function receipt(site: CallSite, inbox: SignalInbox, { path, name, timeoutMs }: Wait): Promise<HistoryRecord> {
  const deadline = `${path}/deadline`;
  return site.once({
    path,
    kind: "signal",
    record: async () => {
      const atMs = timeoutMs === undefined ? undefined : await moment(site, deadline, "wait-deadline", timeoutMs);
      return await received(site, inbox, path, name, atMs);
    },
    answer: (found) => found,
    askForOthers: () => {
      if (timeoutMs !== undefined) site.history.find(deadline, "wait-deadline");
    },
  });
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
    const gate = site.gate();
    if (gate !== undefined) await gate;
    const timedOut = deadlineMs !== undefined && deadlineMs <= history.time.nowMs();
    if (inbox.claim(name) || timedOut) {
      const receive = () => activity.work(() => history.receive(path, name, timedOut));
      const record = await site.whenSettled(receive);
      if (record !== undefined) return record;
    }
    if (!inbox.has(name)) await activity.park(() => signalOrDeadline(site, inbox, name, deadlineMs));
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
