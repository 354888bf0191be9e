/**
 * What is kept of a body that was taken out of memory while it rested, beside what the log has of its run.
 *
 * Role: with it, a body that runs again from the record comes to where it was, and whatever cannot wait for that is known without it.
 */
import type { RunTime } from "../history/run-time.ts";

/** What one body left behind. */
export interface EvictedBody {
  /** What time it is for the run: ahead of the wall clock where that was set back. */
  readonly time: RunTime;
  /** When the first of the body's alarms goes off, in ms since the epoch; undefined for a body that waits for events alone. */
  readonly dueMs: number | undefined;
  /** The sleep that ended last of those whose end is not recorded. */
  readonly lastWake: string | undefined;
  /** Lines that the body has written outside of steps, replayed ones included: the next ones are new. */
  readonly lines: number;
  /** Whether the body was told to await something else than its context's calls. */
  readonly hasReportedForeign: boolean;
  /** Records of the run that this node had heard of. */
  readonly records: number;
  /** Number of the update that it had heard of last, over all generations; 0 without one. */
  readonly latestUpdate: number;
  /** Names of signals that the body waits for. */
  readonly signals: readonly string[];
  /** Paths of records from outside that the body waits for. */
  readonly externals: readonly string[];
}

/** Whether a record from outside at this path is one that the body waits for. */
export function awaitsRecord({ externals }: EvictedBody, path: string): boolean {
  return externals.includes(path);
}

/** Whether the body waits for a signal of this name. */
export function awaitsSignal({ signals }: EvictedBody, name: string): boolean {
  return signals.includes(name);
}
