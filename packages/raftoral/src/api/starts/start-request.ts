/** Checked starts, of every call that may start a run. */
import { inputOf, storedAttributes, type TraceContext, type WorkflowDefinition } from "@raftoral/workflow";
import {
  idPolicyArgument,
  optionsArgument,
  runIdArgument,
  runTimeoutArgument,
  startIdArgument,
  traceArgument,
  workflowArgument,
} from "../arguments.ts";
import { Payload } from "../payloads/payload.ts";
import { assertFits } from "../payloads/validated-payload.ts";
import type { WorkflowName } from "../workflows.ts";
import type { StartRequest } from "../workflows-port.ts";
import { beginningArgument } from "./beginning.ts";
import type { StartOptions } from "./start-options.ts";

/** What a start has where its caller gives nothing. */
export interface Chosen {
  readonly uuid: () => string;
  /** The trace context of the caller's async context. */
  readonly activeTrace: () => TraceContext | undefined;
}

/** The request of a start with these arguments. Rejects with REQUEST_INVALID, WORKFLOW_ID_INVALID, INPUT_INVALID or VALUE_NOT_SERIALIZABLE. */
export async function startRequest(
  workflow: WorkflowName,
  input: unknown,
  options: StartOptions | undefined,
  { uuid, activeTrace }: Chosen,
): Promise<StartRequest> {
  const { runId, version: pinned, runTimeoutMs, attributes = {}, idPolicy, startId, trace } = optionsArgument(options);
  const { delayMs, startAt } = optionsArgument(options);
  const policy = idPolicyArgument(idPolicy);
  const { type: workflowType, version } = workflowArgument(workflow, pinned);
  // Chosen here, so that a repeat after a lost answer finds the run that the first attempt started.
  const id = runId === undefined ? uuid() : runIdArgument(runId);
  // Here, where the caller's async context is.
  const traced = traceArgument(trace, activeTrace);
  const payload = Payload.of(input, `the input of ${workflowType}`);
  const isValidated = await validatedInput(workflow, payload, workflowType);
  return {
    runId: id,
    workflowType,
    version,
    isPinned: pinned !== undefined,
    runTimeoutMs: runTimeoutArgument(runTimeoutMs),
    ...beginningArgument(delayMs, startAt),
    attributes: storedAttributes(id, attributes),
    idPolicy: policy,
    // Chosen here for the same reason: a repeat must not meet what the first attempt made as another's.
    startId: startIdArgument(startId) ?? (policy === "use-existing" ? undefined : uuid()),
    trace: traced,
    input: payload,
    isValidated,
  };
}

/** Whether a definition's own schema has taken the input. Rejects with INPUT_INVALID. */
async function validatedInput(workflow: WorkflowName, input: Payload, type: string): Promise<boolean> {
  const schema = typeof workflow === "string" ? undefined : (workflow as Partial<WorkflowDefinition>).input;
  if (schema === undefined) return false;
  await assertFits(schema, input, inputOf(type));
  return true;
}
