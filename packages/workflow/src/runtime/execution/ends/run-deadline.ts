/**
 * Watches the time of a run on its owner, and says in the log when it is over.
 *
 * RD1. The alarm decides nothing: the command does, in whose order a result or a cancellation may come first (time-out.ts).
 * RD2. The time is measured by the run's clock on its owner (run-time.ts), and goes on while a run has none. The next owner finds it over. No body is needed for it.
 */
import type { LogIndex } from "@raftoral/raft-core";
import { outsideBodies } from "../../body/body-place.ts";
import { RunTime } from "../../history/run-time.ts";
import type { SharedAlarm, SharedAlarms } from "../../residency/shared-alarms.ts";
import type { EndSetting } from "./run-end.ts";

/** A run with a time limit. */
export interface TimedRun {
  readonly runId: string;
  readonly family: LogIndex;
  readonly deadlineAtMs: number;
}

/** What {@link watchDeadline} needs of the node. */
export interface DeadlineSetting extends EndSetting {
  readonly alarms: SharedAlarms;
}

/** Proposes the end of the run's time once that has come, while `goOn`. Returns the alarm, to be cancelled. */
export function watchDeadline(run: TimedRun, setting: DeadlineSetting, goOn: () => boolean): SharedAlarm {
  const { runId, family, deadlineAtMs } = run;
  const { clock, logger, proposer, alarms } = setting;
  return alarms.at(new RunTime(clock), deadlineAtMs, () => {
    const command = { kind: "TimeOut", runId, family, atMs: clock.wallMs() } as const;
    outsideBodies(() => proposer.propose(command, { goOn })).catch((error: unknown) =>
      logger.debug({ runId, err: error }, "the end of a run's time could not be proposed"),
    );
  });
}
