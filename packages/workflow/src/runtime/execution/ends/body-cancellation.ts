/**
 * How one body hears of its cancellation, and how long it may take to end then.
 *
 * CN1. A body hears of a cancellation after everything that is recorded or on its way into the record, and that it did is recorded too: what a shield
 *      records afterwards is answered after the cancellation on a replay as well.
 * CN2. A body that was taken out of memory hears of a cancellation that came meanwhile where it had come to rest, and not at an earlier sleep whose end is not
 *      recorded.
 * CN3. A body that has not ended in its grace (cancel-grace.ts) is ended without it, once no shield of it is open.
 */
import type { Clock } from "@raftoral/raft-core";
import { decodeValue, encodeValue } from "../../../author/values/json-value.ts";
import { CANCELLED_PATH, type HistoryRecord } from "../../../model/record.ts";
import type { Activity } from "../../body/activity.ts";
import type { Answers } from "../../body/answers.ts";
import type { BodyCalls } from "../../body/body-calls.ts";
import type { Heard } from "../../body/heard-cancellation.ts";
import type { Interruption } from "../../body/interruption.ts";
import type { CallSite } from "../../calls/call-site.ts";
import type { ExternalRecords } from "../../history/external-records.ts";
import type { History } from "../../history/history.ts";
import { CancelGrace } from "./cancel-grace.ts";

/** What a {@link BodyCancellation} works with. */
export interface CancelledBody {
  readonly interruption: Interruption;
  readonly activity: Activity;
  readonly history: History;
  readonly answers: Answers;
  readonly calls: BodyCalls;
  readonly site: CallSite;
  readonly externals: ExternalRecords;
  readonly clock: Clock;
  readonly graceMs: number;
  /** The time to clean up is over (CN3). */
  readonly onOverdue: (reason: string) => void;
}

/** The cancellation of one body (CN1 to CN3). */
export class BodyCancellation {
  readonly #body: CancelledBody;
  readonly #grace: CancelGrace;

  constructor(body: CancelledBody) {
    this.#body = body;
    const { clock, graceMs } = body;
    this.#grace = new CancelGrace({ clock, graceMs, onOver: () => this.#graceIsOver() });
  }

  /** Somebody has asked to cancel the run. Idempotent. */
  request(reason: string): void {
    const { interruption, activity, history, calls } = this.#body;
    if (interruption.cancelled !== undefined || interruption.isOver) return;
    interruption.cancel(reason);
    activity.hurry();
    const heard = history.has(CANCELLED_PATH) ? history.find(CANCELLED_PATH, "cancellation") : undefined;
    if (heard !== undefined) this.#tellAgain(heard);
    else calls.whenResumed(() => history.whenAllAsked(() => void this.#tell()));
    this.#grace.begin();
  }

  /** A shield begins: the execution waits for it, also when the time to clean up is over. Returns the way to say that it has ended. */
  shield(): () => void {
    return this.#grace.shield();
  }

  /** The execution is over. */
  end(): void {
    this.#grace.stop();
  }

  #graceIsOver(): void {
    const { interruption, onOverdue } = this.#body;
    const { cancelled, isOver } = interruption;
    if (!isOver && cancelled !== undefined) onOverdue(cancelled.reason);
  }

  /** The body hears of the cancellation for the first time (CN1). */
  async #tell(): Promise<void> {
    const { interruption, history, answers, calls, site, externals } = this.#body;
    // A step that is over may have waited for a record before it made its own. Nothing new begins meanwhile, but in shields.
    do {
      await history.quiet();
      await answers.last();
    } while (!history.isQuiet && this.#grace.shields === 0 && !interruption.isClosed);
    if (interruption.isClosed) return;
    const heard: Heard = { after: calls.lastWake };
    const value = encodeValue(heard, CANCELLED_PATH, Number.POSITIVE_INFINITY);
    // What a shield or a wait for others is answered with may come before or after: then the log decides.
    if (this.#grace.shields === 0 && !externals.isAwaited) history.stage(CANCELLED_PATH, "cancellation", value, false);
    else await site.fresh(CANCELLED_PATH, () => history.record(CANCELLED_PATH, "cancellation", value));
    interruption.tell();
  }

  /** The body heard of the cancellation on an earlier owner: hears of it at the same place (CN1). */
  #tellAgain({ value, position }: HistoryRecord): void {
    const { interruption, history, answers, calls } = this.#body;
    const { after } = decodeValue(value, CANCELLED_PATH) as Heard;
    const tell = (): void => void answers.recorded(position).then(() => interruption.tell());
    calls.whenWoken(after, () => history.whenAskedBefore(position, tell));
  }
}
