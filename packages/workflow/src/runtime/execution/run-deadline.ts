/**
 * Watches the time of a run on its owner, and says in the log when it is over.
 *
 * RD1. The timer decides nothing: the command does, in whose order a result or a cancellation may come first (time-out.ts).
 * RD2. The time is measured by the run's clock on its owner (run-time.ts), and goes on while a run has none. The next owner finds it over.
 */
import type { Cancel, LogIndex } from "@raftoral/raft-core";
import { outsideBodies } from "../body/body-place.ts";
import { alarmAt } from "../calls/alarm.ts";
import { RunTime } from "../history/run-time.ts";
import type { EndSetting } from "./run-end.ts";

/** A run with a time limit. */
export interface TimedRun {
  readonly runId: string;
  readonly family: LogIndex;
  readonly deadlineAtMs: number;
}

/** Proposes the end of the run's time once that has come, while `goOn`. Returns the way to stop. */
export function watchDeadline(run: TimedRun, { clock, logger, proposer }: EndSetting, goOn: () => boolean): Cancel {
  const { runId, family, deadlineAtMs } = run;
  return alarmAt(clock, new RunTime(clock), deadlineAtMs, () => {
    const command = { kind: "TimeOut", runId, family, atMs: clock.wallMs() } as const;
    outsideBodies(() => proposer.propose(command, { goOn })).catch((error: unknown) =>
      logger.debug({ runId, err: error }, "the end of a run's time could not be proposed"),
    );
  });
}
