/**
 * Waits for a record that somebody else than the run's owner writes: the end of a child, the answer to a token, the grant of a lock.
 *
 * ER1. The answer has its turn by the record's place in the log, like every other one (answers.ts Q1). A replay gives it at the same place.
 * ER2. The wait takes no slot, and a wait whose branch is cancelled consumes nothing.
 * ER3. A wait goes on until its branch has heard of its cancellation, and not only until that is asked for: a record that the log has before the moment of
 *      the cancellation (run-execution.ts B6) is answered before it.
 * ER4. Beyond the deadline the owner records at the path that no record came. Whichever is first in the log stands, and answers the call. A body that is held, or
 *      that a cancellation is on its way to, records nothing.
 */
import type { HistoryRecord, RecordKind } from "../../model/record.ts";
import type { PendingCall } from "../body/pending-calls.ts";
import type { ExternalRecords } from "../history/external-records.ts";
import { never } from "../history/history.ts";
import type { CallSite } from "./call-site.ts";

/** One wait. */
export interface ExternalCall {
  readonly path: string;
  /** Names the call. */
  readonly kind: RecordKind;
  /** Brings the record about, where nothing is recorded. */
  readonly begin?: () => Promise<void>;
  /** When the wait is over, in the run's time, and what the owner records then. */
  readonly deadline?: { readonly atMs: number; readonly kind: RecordKind } | undefined;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** The record at `path`, once somebody has written it. To be used within {@link CallSite.call}. */
export async function externalRecord(
  site: CallSite,
  externals: ExternalRecords,
  call: ExternalCall,
): Promise<HistoryRecord> {
  const { path, kind } = call;
  const { interception, interruption, answers, replay } = site.body.parts;
  const found = externals.recorded(path);
  interception?.callBegins(path, kind, found !== undefined);
  const answered = (record: HistoryRecord): HistoryRecord | Promise<HistoryRecord> => {
    if (interruption.isOver) return never();
    interception?.callAnswered(path, kind, found !== undefined);
    site.body.answers += 1;
    return record;
  };
  if (found !== undefined) {
    await site.recorded(found.position);
    return answered(found);
  }
  // Not the branch's gate: see ER3.
  const replayed = replay.pass(path, kind);
  if (replayed !== undefined) await replayed;
  const record = await site.fresh(path, async () => {
    await call.begin?.();
    const position = externals.arrival(path);
    if (position === undefined)
      await site.body.waits.during(pendingOf(call), () => site.park(() => arrival(site, externals, call)));
    else answers.committed(path, position);
    return externals.read(path);
  });
  return answered(record);
}

/** The call that has given out the token, started the child, or asked for the lock. */
function pendingOf({ path, kind, deadline }: ExternalCall): PendingCall {
  const until = deadline === undefined ? {} : { untilMs: deadline.atMs };
  const what = kind === "answer" ? "token" : kind === "lock-granted" ? "lock" : "child";
  return { kind: what, path: path.slice(0, path.lastIndexOf("/")), ...until };
}

/** Resolves once the log has the record. Rejects when the branch has heard of its cancellation. */
async function arrival(site: CallSite, externals: ExternalRecords, { path, deadline }: ExternalCall): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stopListening = externals.listen(path, resolve);
  const stopWaiting = site.branch.onCancelled(reject);
  let isOpen = true;
  const expire = async (kind: RecordKind): Promise<void> => {
    const gate = site.gate();
    if (gate !== undefined) await gate;
    const record = async (): Promise<unknown> =>
      isOpen ? site.work(() => site.history.record(path, kind, NOTHING)) : undefined;
    await site.whenSettled(record);
  };
  const stopAlarm =
    deadline === undefined ? () => {} : site.alarm(deadline.atMs, () => void expire(deadline.kind).catch(reject));
  // A body that is over records nothing, and its timers are not kept.
  const stopWork = site.branch.onStop(stopAlarm);
  try {
    await promise;
  } finally {
    isOpen = false;
    stopAlarm();
    stopWork();
    stopListening();
    stopWaiting();
  }
}
