/** What a body begins with whose run has no history. */
import type { RunContinued, RunStarted } from "../../state/workflow-event.ts";
import type { ExecutionStart } from "./execution-shared.ts";

/** A run that has no history yet. */
export function freshStart(
  { runId, version, epoch, input, seed, trace, behaviourLevel, initialAttributes, calledBy }: RunStarted | RunContinued,
  at: Pick<ExecutionStart, "startIndex" | "generation" | "cancelReason" | "signals" | "updates">,
): ExecutionStart {
  const { startIndex, generation, cancelReason, signals, updates } = at;
  const nothing = { history: [], progress: [], streams: [], isRetried: false, keptSignals: [] };
  const given = { runId, startIndex, generation, version, epoch, input, seed, trace, behaviourLevel, calledBy };
  return { ...given, attempt: 1, initialAttributes, cancelReason, signals, updates, ...nothing };
}
