/**
 * A run that was retried waits again for children that have ended: each goes on, or its end is told once more (commands/mending/retry.ts RT3).
 *
 * CR1. It is asked for once the body has asked for all that is recorded: before that, it is not known for which children it waits.
 * CR2. It is asked for by every owner that comes to the wait. A child that goes on is left alone.
 */
import type { Clock, LogIndex } from "@raftoral/raft-core";
import type { Epoch } from "../../model/ownership.ts";
import type { ParentClosePolicy } from "../../model/parent.ts";
import type { RunView } from "../../state/run-view.ts";
import { outsideBodies } from "../body/body-place.ts";
import type { Proposer } from "../engine/retrying-proposer.ts";
import { retryPoint } from "./retry-point.ts";

/** A child that a retried run waits for. */
export interface AwaitedChild {
  readonly runId: string;
  readonly path: string;
  readonly closePolicy: ParentClosePolicy;
}

/** In whose name children are asked for. */
export interface ChildRetriesSetting {
  readonly run: { readonly runId: string; readonly startIndex: LogIndex; readonly epoch: Epoch };
  readonly clock: Clock;
  readonly proposer: Proposer;
  readonly readRun: (runId: string) => Promise<RunView | undefined>;
  /** Whether this node has the parent still. */
  readonly goOn: () => boolean;
  readonly failed: (runId: string, error: unknown) => void;
}

/** Gives the function that has a child go on, without waiting for that. */
export function childRetries(setting: ChildRetriesSetting): (child: AwaitedChild) => void {
  const { run, clock, proposer, readRun, goOn, failed } = setting;
  const ask = async ({ runId, path, closePolicy }: AwaitedChild): Promise<void> => {
    const child = await readRun(runId);
    const from = child === undefined ? "" : pointOf(child);
    const { startIndex, epoch } = run;
    const parent = { runId: run.runId, startIndex, path, closePolicy, epoch };
    const reason = `its parent ${run.runId} was retried`;
    const command = { kind: "Retry", runId, from, reason, requestId: "", parent, atMs: clock.wallMs() } as const;
    if (goOn()) await proposer.propose(command, { goOn });
  };
  return (child) =>
    void outsideBodies(() => ask(child)).catch((error: unknown) => {
      if (goOn()) failed(child.runId, error);
    });
}

/** A child that has undone its steps begins its work again. */
function pointOf(child: RunView): string {
  try {
    return retryPoint(child);
  } catch {
    return child.history[0]?.[0] ?? "";
  }
}
