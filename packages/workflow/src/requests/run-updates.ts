/**
 * Updates of runs as requests: put into the log, and waited for.
 *
 * RU1. Asking again with the same id is the same update. So whatever is not known (a snapshot came instead of events, a run ended, the outcome of a proposal) is found
 *      out by asking again.
 * RU2. What a caller is told is committed: an acceptance, a refusal, an answer.
 */
import type { UpdateTaken } from "../commands/messages/update.ts";
import type { UpdateStatus } from "../model/update.ts";
import { refusalIn } from "../runtime/handlers/update-record.ts";
import type { RequestLimit } from "./request-limit.ts";
import type { UpdateListening, UpdateWatch } from "./update-watch.ts";

/** An update of a run. The same `updateId` again is the same update. */
export interface RunUpdate {
  readonly runId: string;
  readonly updateId: string;
  readonly name: string;
  readonly input: Uint8Array;
  /** Of the input's value: the same id with another one is refused. Absent for an input that is not compared. */
  readonly inputDigest?: Uint8Array;
  /** Who asks for it, where that is an operator, and why. */
  readonly by?: string;
  readonly reason?: string;
}

/** How an update stands when a wait for it ends. */
export interface RunUpdateEnd {
  readonly status: Exclude<UpdateStatus, "pending">;
  /** What it was answered with, or the recorded error that it failed of; empty for one that is accepted. */
  readonly value: Uint8Array;
}

/** Until when a caller waits. */
export type UpdateUntil = "accepted" | "completed";

/** How the run takes the update, as its command says. */
export type Taken = Pick<UpdateTaken, "status" | "value">;

/** Asks for an update by `ask` and waits; undefined when the limit is over before. Rejects with what `ask` rejects with, and with the owner's refusal. */
export async function askedUpdate(
  watch: UpdateWatch,
  { runId, updateId }: Pick<RunUpdate, "runId" | "updateId">,
  { until, ask }: { readonly until: UpdateUntil; readonly ask: () => Promise<Taken> },
  limit: RequestLimit,
): Promise<RunUpdateEnd | undefined> {
  const listening = watch.listen(runId, updateId, limit);
  try {
    return await settled(listening, { runId, until, ask });
  } finally {
    listening.close();
  }
}

async function settled(
  listening: UpdateListening,
  { runId, until, ask }: { readonly runId: string; readonly until: UpdateUntil; readonly ask: () => Promise<Taken> },
): Promise<RunUpdateEnd | undefined> {
  let taken = await ask();
  for (;;) {
    const { status, value } = taken;
    if (status === "completed" || status === "failed" || (status === "accepted" && until === "accepted"))
      return { status, value };
    const news = await listening.next();
    if (news === undefined) return undefined;
    // The run remembers what it has answered, and refuses what it has not.
    if (news.type === "again" || news.type === "over") taken = await ask();
    else if (news.type === "rejected") throw refusalIn(news.value, runId);
    else taken = { status: news.type, value: news.value };
  }
}
