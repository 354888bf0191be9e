/**
 * `ctx.waitFor`: takes the next signal of a name, or records that none came in time.
 *
 * WF1. The state decides which path a signal is recorded at; this side only asks when one is probably there (signal-inbox.ts). Which wait it reaches is
 *      decided by the order of the log (signal-waits.ts).
 * WF2. A wait whose branch is cancelled, or whose body is held, takes no signal and records no timeout: it looks at the gate before each command that it
 *      proposes. What was on its way then goes to the next wait of that name.
 */
import { NonDeterminismError } from "../../author/errors/errors.ts";
import { decodeValue } from "../../author/values/json-value.ts";
import { type StandardSchemaV1, signalOf } from "../../author/values/schema.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { SignalInbox } from "../body/signal-inbox.ts";
import type { OpenWait, Receipt } from "../body/signal-waits.ts";
import { never } from "../history/history.ts";
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

/** What the wait is answered with: its own record, or that of another wait which asked for the signal (WF1). */
function receipt(site: CallSite, inbox: SignalInbox, wait: Wait): Promise<HistoryRecord> {
  const { path, name } = wait;
  const { signals, parts } = site.body;
  // A signal that is kept for the wait is recorded at another path.
  parts.interception?.callBegins(path, "signal", site.history.has(path) || signals.keeps(name));
  return new Promise((resolve, reject) => {
    const open = signals.open(name, ({ record, isReplay }) => {
      parts.interception?.callAnswered(path, "signal", isReplay);
      site.body.answers += 1;
      resolve(record);
    });
    if (!open.isOpen) return;
    site.branch.onCancelled(() => open.close());
    serve(site, inbox, wait, open).catch((error: unknown) => {
      // A branch that is closed asks for nothing more; what another wait has asked for may still come until it is cancelled.
      if (!site.branch.isReason(error)) reject(error);
    });
  });
}

/** Asks for signals until the wait is over: one that it asked for may go to an older wait, and then it asks again, under a path of its own. */
async function serve(site: CallSite, inbox: SignalInbox, wait: Wait, open: OpenWait): Promise<void> {
  const { signals, parts } = site.body;
  const { name, timeoutMs } = wait;
  const { time } = site.history;
  const deadlineMs =
    timeoutMs === undefined
      ? undefined
      : await moment(site, `${wait.path}/deadline`, "wait-deadline", () => time.nowMs() + timeoutMs);
  for (let again = 0; open.isOpen; again++) {
    const path = again === 0 ? wait.path : `${wait.path}/again${again}`;
    if (again > 0) parts.interception?.callBegins(path, "signal", site.history.has(path));
    const receipt = await asked(site, inbox, { path, name, deadlineMs }, open);
    if (receipt === undefined || parts.interruption.isOver) return;
    if (receipt.record.kind === "signal") signals.deliver(name, receipt);
    else open.answer(receipt);
  }
}

/** One question for a signal. */
interface Question {
  readonly path: string;
  readonly name: string;
  readonly deadlineMs: number | undefined;
}

/** What is recorded at the question's path, at its turn; undefined when the wait is over without one. */
async function asked(
  site: CallSite,
  inbox: SignalInbox,
  { path, name, deadlineMs }: Question,
  wait: OpenWait,
): Promise<Receipt | undefined> {
  const { time } = site.history;
  const found = site.history.find(path, "signal");
  if (found !== undefined) {
    await site.recorded(found.position);
    return site.body.parts.interruption.isOver ? never() : { record: found, path, isReplay: true };
  }
  const ready = site.ready(path, "signal");
  if (ready !== undefined) await ready;
  while (wait.isOpen) {
    const gate = site.gate();
    if (gate !== undefined) await gate;
    const timedOut = deadlineMs !== undefined && deadlineMs <= time.nowMs();
    const claimed = inbox.claim(name, path);
    if (claimed || timedOut) {
      const record = await received(site, path, name, timedOut, wait);
      if (record !== undefined) return { record, path, isReplay: false };
      // Another wait was answered meanwhile, and this one has asked for nothing: the signal waits still, as far as is known here.
      if (claimed && !wait.isOpen) inbox.arrived(name);
    }
    if (!wait.isOpen || inbox.has(name)) continue;
    const pending = { kind: "signal", path, ...(deadlineMs === undefined ? {} : { untilMs: deadlineMs }) } as const;
    const park = (): Promise<void> => site.park(() => signalOrDeadline(site, inbox, name, deadlineMs, wait));
    await site.body.waits.during(pending, park);
  }
  return undefined;
}

function received(
  site: CallSite,
  path: string,
  name: string,
  timedOut: boolean,
  wait: OpenWait,
): Promise<HistoryRecord | undefined> {
  const receive = (): Promise<HistoryRecord | undefined> =>
    wait.isOpen ? site.work(() => site.history.receive(path, name, timedOut)) : Promise.resolve(undefined);
  return site.body.receipt(() => site.fresh(path, () => site.whenSettled(receive)));
}

/** Resolves when there may be something to do for the wait: a signal, its deadline, or that it is over. */
function signalOrDeadline(
  site: CallSite,
  inbox: SignalInbox,
  name: string,
  deadlineMs: number | undefined,
  wait: OpenWait,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopAlarm = (): void => {};
    const stop = (): void => {
      stopInbox();
      stopAlarm();
      stopListening();
      wait.onClosed(undefined);
    };
    const done = (): void => {
      stop();
      resolve();
    };
    const stopInbox = inbox.listen(name, done);
    const stopListening = site.branch.onStop((reason) => {
      stop();
      if (!site.body.parts.interruption.isOver) reject(reason);
    });
    wait.onClosed(done);
    if (deadlineMs !== undefined) stopAlarm = site.alarm(deadlineMs, done);
  });
}
