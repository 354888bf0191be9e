/** Waiting for a while, or until somebody says stop. */
import type { Clock } from "@raftoral/raft-core";

/** Resolves after `ms`, or as soon as `stop` aborts; never rejects, and leaves neither timer nor listener behind. */
export async function pause(clock: Clock, ms: number, stop?: AbortSignal): Promise<void> {
  if (ms <= 0 || stop?.aborted === true) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const onStop = (): void => resolve();
  const cancel = clock.after(ms, resolve);
  stop?.addEventListener("abort", onStop);
  try {
    await promise;
  } finally {
    cancel();
    stop?.removeEventListener("abort", onStop);
  }
}
