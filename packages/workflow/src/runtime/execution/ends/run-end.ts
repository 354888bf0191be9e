/** Brings the end of a run, or that its owner holds still, into the log. */
import type { Clock, Logger, NodeId } from "@raftoral/raft-core";
import { recordedError } from "../../../author/errors/recorded-error.ts";
import type { Epoch } from "../../../model/runs/ownership.ts";
import type { RunOutcome } from "../../../model/runs/run-outcome.ts";
import { outsideBodies } from "../../body/body-place.ts";
import { type Proposer, proposalFailure } from "../../engine/retrying-proposer.ts";

/** In whose name a run is ended. */
export interface EndingRun {
  readonly runId: string;
  readonly owner: NodeId;
  readonly epoch: Epoch;
  /** Whether this node has the run still, as far as it knows. */
  readonly goOn: () => boolean;
}

/** What a proposal of an end needs. */
export interface EndSetting {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly proposer: Proposer;
}

/** Proposes an end until its fate is known or the run is not this node's. Never rejects. An outcome that the log refuses is a failure of the run. */
export async function proposeEnd(run: EndingRun, outcome: RunOutcome, setting: EndSetting): Promise<void> {
  const { runId, owner, epoch, goOn } = run;
  const { clock, proposer, logger } = setting;
  try {
    const command = { kind: "WorkflowEnd", runId, outcome, atMs: clock.wallMs(), owner, epoch } as const;
    await outsideBodies(() => proposer.propose(command, { goOn }));
  } catch (error) {
    if (!goOn() || proposalFailure(error) === "stopped") return;
    if (outcome.status === "failed") {
      logger.error({ runId, err: error }, "The end of a run could not be proposed.");
      return;
    }
    await proposeEnd(run, { status: "failed", error: recordedError(error) }, setting);
  }
}

/** Says that the owner of a run holds still, so that the run is paused. Never rejects. */
export async function proposeStill({ runId, owner, epoch, goOn }: EndingRun, setting: EndSetting): Promise<void> {
  const { clock, proposer, logger } = setting;
  const command = { kind: "Pause", runId, reason: "", isNow: false, atMs: clock.wallMs(), owner, epoch } as const;
  try {
    if (goOn()) await outsideBodies(() => proposer.propose(command, { goOn }));
  } catch (error) {
    if (goOn() && proposalFailure(error) !== "stopped")
      logger.error({ runId, err: error }, "A run that holds still could not be paused.");
  }
}
