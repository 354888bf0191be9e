/** A bound on how long a promise is waited for. What it stands for goes on. */
import { RaftError } from "@raftoral/raft-core";
import type { Timeout } from "../../service/served-node.ts";

/** Timers take no more, and fire at once for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The promise's outcome, or a rejection with DEADLINE_EXCEEDED once the time is over. `what` begins the message. */
export async function within<T>(promise: Promise<T>, { timeoutMs }: Timeout, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        new RaftError("DEADLINE_EXCEEDED", `${what} took longer than ${timeoutMs} ms; it may still happen.`, {
          retryable: true,
        }),
      ),
    Math.min(timeoutMs, LONGEST_TIMER_MS),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
