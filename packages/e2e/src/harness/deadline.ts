/** Bounds for everything that is waited for: a wait ends with what was waited for, or says what it was and how long. */

/** What a bounded wait rejects with. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** The promise's outcome, or a {@link DeadlineError} naming `what` after `ms`. The promise itself goes on. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const expiry = Promise.withResolvers<never>();
  const timer = setTimeout(() => expiry.reject(new DeadlineError(`${what}: not within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, expiry.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const POLL_MS = 20;

/**
 * Asks `probe` again and again until it gives something other than undefined or false, and returns that. For what another
 * process tells only when asked. A probe that throws has no answer yet; its last error is the cause of the DeadlineError.
 */
export async function eventually<T>(
  ms: number,
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + ms;
  let cause: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      const reason = cause instanceof Error ? ` (${cause.message})` : "";
      throw new DeadlineError(`${what}: not within ${ms} ms${reason}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
