/** A bound on how long a promise is waited for. What the promise stands for goes on. */
import { type Clock, RaftError } from "@raftoral/raft-core";
import type { Timeout } from "./deadline.ts";

/** The promise's outcome, or a rejection with DEADLINE_EXCEEDED once the time is over. `what` begins the message. */
export async function within<T>(promise: Promise<T>, { timeoutMs }: Timeout, what: string, clock: Clock): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = clock.after(timeoutMs, () =>
    reject(
      new RaftError("DEADLINE_EXCEEDED", `${what} took longer than ${timeoutMs} ms; it may still happen.`, {
        retryable: true,
      }),
    ),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}
