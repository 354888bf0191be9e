/** Checks that entries may be appended to a log. */
import { invariant } from "../errors.ts";
import type { Entry, LogIndex } from "../types.ts";

/**
 * Throws InvariantViolation unless `entries`, one or more, follow each other, begin within `[first, last + 1]` of the log `[first, last]`, and
 * have terms that never decrease (Log Matching, Raft paper §5.3).
 */
export function checkEntries(entries: readonly Entry[], first: LogIndex, last: LogIndex): void {
  const start = (entries[0] as Entry).index;
  invariant(
    start >= first && start <= last + 1,
    () => `entries from ${start} do not join a log of [${first}, ${last}]`,
  );
  for (let i = 1; i < entries.length; i++) {
    const entry = entries[i] as Entry;
    const before = entries[i - 1] as Entry;
    invariant(entry.index === before.index + 1, () => `entry ${entry.index} follows entry ${before.index}: a gap`);
    invariant(
      entry.term >= before.term,
      () => `entry ${entry.index} goes back from term ${before.term} to ${entry.term}`,
    );
  }
}
