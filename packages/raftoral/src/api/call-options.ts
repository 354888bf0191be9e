/**
 * Limits of one call, the same for every call of every implementation.
 *
 * O1. A call whose `signal` aborts rejects with CALL_ABORTED in the same turn of the event loop, and leaves no listener, timer or waiter behind.
 * O2. A call that was aborted before it began sends nothing.
 */
import { RaftError } from "@raftoral/raft-core";
import { NodeError } from "./errors.ts";

/** Limits of a call. Without them a call has the default time of its node or client. */
export interface CallOptions {
  /**
   * How long the call may take, in milliseconds from 0; Infinity for as long as it takes. A call that takes longer rejects with
   * DEADLINE_EXCEEDED. Calls that wait for a run (`wait`, `result`) have no limit by default.
   */
  readonly timeoutMs?: number;
  /**
   * Ends the call with CALL_ABORTED when this signal aborts. A change that has left by then (a start, a signal, a cancellation, ...) may still take
   * effect.
   */
  readonly signal?: AbortSignal;
}

/** Options of what an operator changes. */
export interface ReasonOptions extends CallOptions {
  /** Why, for the audit: text of at most 10,000 characters. */
  readonly reason?: string;
}

/** How recent the answer of a read must be. */
export type Consistency = "linearizable" | "stale";

/** Options of a read. */
export interface ReadOptions extends CallOptions {
  /**
   * "linearizable" (the default): the answer shows everything that was acknowledged before the call, which needs a majority of the nodes. "stale": it shows what the node
   * that is asked has applied, also while it has no leader; it may lack what was acknowledged lately.
   */
  readonly consistency?: Consistency;
}

/** {@link CallOptions} after they are checked. */
export interface CallLimit {
  /** May be Infinity, for calls that wait for a run. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Of a read: whether what the asked node has applied is enough (false). */
  readonly isStale?: boolean;
}

/** What a call does to the cluster. */
export type CallEffect = "change" | "read";

/** The failure of a call whose signal aborted; `cause` is the signal's reason. `what` begins the message: "Starting process_order". */
export function callAborted(signal: AbortSignal | undefined, what: string, effect: CallEffect = "change"): NodeError {
  const after = effect === "change" ? "It may still take effect." : "Nothing was changed. Ask again.";
  return new NodeError("CALL_ABORTED", `${what} was aborted by the caller's signal. ${after}`, {
    cause: signal?.reason,
  });
}

/** The failure of a wait for the end of a run that has not ended in time. */
export function runGoesOn(runId: string, { timeoutMs }: CallLimit): RaftError {
  return new RaftError(
    "DEADLINE_EXCEEDED",
    `Run ${runId} has not ended within ${timeoutMs} ms; it goes on. Wait again.`,
    {
      retryable: true,
      details: { runId, timeoutMs },
    },
  );
}

/** The failure of a wait for the value of a variable that is not set in time. */
export function setGoesOn(runId: string, variable: string, { timeoutMs }: CallLimit): RaftError {
  return new RaftError(
    "DEADLINE_EXCEEDED",
    `Variable ${variable} of run ${runId} was not set within ${timeoutMs} ms; the request goes on. Ask again with the same requestId.`,
    { retryable: true, details: { runId, variable, timeoutMs } },
  );
}

/**
 * What `run` resolves with, or a rejection with CALL_ABORTED as soon as the limit's signal aborts (O1). `run` must watch the signal itself
 * to let go of what it holds; its outcome after an abort is ignored.
 */
export async function abortable<T>(
  limit: CallLimit,
  what: string,
  run: (limit: CallLimit) => Promise<T>,
  effect: CallEffect = "change",
): Promise<T> {
  const { signal } = limit;
  if (signal === undefined) return run(limit);
  if (signal.aborted) throw callAborted(signal, what, effect);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(callAborted(signal, what, effect));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([run(limit), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Pages of a read as they come, until the reader stops, or the limit ends the read. */
export async function* pagesWithin<Page>(
  pages: AsyncIterable<Page>,
  limit: CallLimit,
  what: string,
): AsyncGenerator<Page, void, undefined> {
  const iterator = pages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const page = await abortable(limit, what, () => iterator.next());
      if (page.done === true) return;
      yield page.value;
    }
  } finally {
    // What is under way ends with the limit's signal, and need not be waited for.
    iterator.return?.(undefined)?.catch(() => {});
  }
}
