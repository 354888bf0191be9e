/** What operators do to many runs: one piece of a list at a time, as a command (commands/operators/mend-runs.ts). */
import type { LogIndex } from "@raftoral/raft-core";
import type { BulkAction, MendedRun, MendedRunName, MendRuns } from "../commands/operators/mend-runs.ts";
import { WorkflowError } from "../errors.ts";
import type { WorkflowEngine } from "../runtime/engine/workflow-engine.ts";
import { retryPoint } from "../runtime/mending/retry-point.ts";
import { encodeConditions } from "../state/lists/conditions-codec.ts";
import type { RunConditions } from "../state/lists/run-query.ts";

/** One piece. */
export interface BulkMend {
  readonly action: BulkAction;
  readonly conditions: RunConditions;
  /** As a list gave them. */
  readonly runs: readonly { readonly runId: string; readonly startIndex: LogIndex }[];
  readonly reason: string;
  readonly requestId: string;
  readonly by: string;
}

/** The command of a piece, and the runs that it is not about, with what they refuse: a run that has undone steps cannot be retried from its failure. */
export async function bulkCommand(
  engine: Pick<WorkflowEngine, "run">,
  { runs, conditions, ...bulk }: BulkMend,
  atMs: number,
): Promise<{ readonly command: MendRuns; readonly refused: readonly MendedRun[] }> {
  const refused: MendedRun[] = [];
  const named: MendedRunName[] = [];
  for (const { runId, startIndex } of runs) {
    try {
      const from = bulk.action === "retry" ? await pointOf(engine, runId) : "";
      named.push({ runId, startIndex, from });
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error;
      refused.push({ runId, outcome: error.code });
    }
  }
  const command = { kind: "MendRuns", ...bulk, conditions: encodeConditions(conditions), runs: named, atMs } as const;
  return { command, refused };
}

/** Empty for a run that has not failed: the state says what is wrong with it. */
async function pointOf(engine: Pick<WorkflowEngine, "run">, runId: string): Promise<string> {
  const run = await engine.run(runId);
  return run?.status === "failed" || run?.status === "cancelled" ? retryPoint(run) : "";
}
