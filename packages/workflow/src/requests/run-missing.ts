/** What calls about a run that is not there fail of. */
import { runNotFoundText, WorkflowError } from "../errors.ts";
import type { WorkflowEngine } from "../runtime/engine/workflow-engine.ts";

/** The failure of a call about a run that does not exist. */
export function runNotFound(runId: string): WorkflowError {
  return new WorkflowError("WORKFLOW_NOT_FOUND", runNotFoundText(runId), { details: { runId } });
}

/** The failure of a call about a run that is not there: WORKFLOW_PRUNED while its id is kept, and else WORKFLOW_NOT_FOUND. */
export async function runMissing(engine: WorkflowEngine, runId: string): Promise<WorkflowError> {
  const pruned = await engine.pruned(runId);
  if (pruned === undefined) return runNotFound(runId);
  const { status, workflowType, endedAtMs } = pruned;
  const at = new Date(endedAtMs).toISOString();
  return new WorkflowError(
    "WORKFLOW_PRUNED",
    `Run ${runId} has ended (${status}, at ${at}), and its result and history are not kept any more. Use what the archive hook was given of it, or start another run under another id.`,
    { details: { runId, workflowType, status, endedAtMs } },
  );
}
