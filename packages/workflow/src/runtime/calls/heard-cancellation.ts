/**
 * When a body hears that its run is cancelled: after everything that is recorded or on its way into the record, which is a record of its own (run-execution.ts B6).
 */
import { decodeValue, encodeValue } from "../../author/json-value.ts";
import type { Answers } from "../body/answers.ts";
import type { CallSite } from "./call-site.ts";

/** Where it is recorded that the body heard of its cancellation. No call's path: those have a number. */
const CANCELLED_PATH = "cancellation";

/** What is recorded when the body hears of its cancellation. */
interface Heard {
  /** Path of the last sleep that had ended by then without a record of its end. */
  readonly after?: string | undefined;
}

/** What the body does that may be answered before or after it hears. */
export interface BusyBody {
  /** It has open shields. */
  readonly isShielded: boolean;
  /** It waits for what others write. */
  readonly isAwaiting: boolean;
}

/** Tells the body of its cancellation: at the place where an earlier owner's heard of it, or as soon as nothing comes before it. */
export function hearCancellation(site: CallSite, answers: Answers, busy: () => BusyBody): void {
  const { history } = site;
  const heard = history.has(CANCELLED_PATH) ? history.find(CANCELLED_PATH, "cancellation") : undefined;
  if (heard === undefined) {
    history.whenAllAsked(() => void tellFirst(site, answers, busy));
    return;
  }
  const { after } = decodeValue(heard.value, CANCELLED_PATH) as Heard;
  const { interruption } = site.body.parts;
  const tell = (): void => void answers.recorded(heard.position).then(() => interruption.tell());
  site.body.whenWoken(after, () => history.whenAskedBefore(heard.position, tell));
}

async function tellFirst(site: CallSite, answers: Answers, busy: () => BusyBody): Promise<void> {
  const { history, body } = site;
  const { interruption } = body.parts;
  // A step that is over may have waited for a record before it made its own. Nothing new begins meanwhile, but in shields.
  do {
    await history.quiet();
    await answers.last();
  } while (!history.isQuiet && !busy().isShielded && !interruption.isClosed);
  if (interruption.isClosed) return;
  const heard: Heard = { after: body.lastWake };
  const value = encodeValue(heard, CANCELLED_PATH, Number.POSITIVE_INFINITY);
  const { isShielded, isAwaiting } = busy();
  // What a shield or a wait for others is answered with may come before or after: then the log decides.
  if (!isShielded && !isAwaiting) history.stage(CANCELLED_PATH, "cancellation", value, false);
  else await site.fresh(CANCELLED_PATH, () => history.record(CANCELLED_PATH, "cancellation", value));
  interruption.tell();
}
