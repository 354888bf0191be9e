/** Lists of objects: the runs of an object's type that go on. */
import { objectKey } from "@raftoral/workflow";
import { workflowArgument } from "../arguments.ts";
import type { ReadOptions } from "../call-options.ts";
import type { WorkflowName, Workflows } from "../workflows.ts";
import type { ObjectSummary } from "./objects.ts";

/** The objects of a type that exist, in no order. Runs of the type that somebody started under another id are no objects. */
export async function* listObjects(
  workflows: Workflows,
  object: WorkflowName,
  options: ReadOptions | undefined,
): AsyncGenerator<ObjectSummary, void, undefined> {
  const { type: workflowType } = workflowArgument(object, undefined);
  for (const status of ["running", "stuck", "paused", "delayed"] as const) {
    for await (const { runId, version, owner } of workflows.list({ workflowType, status }, options)) {
      const key = objectKey(workflowType, runId);
      if (key !== undefined) yield { key, runId, version, status, owner };
    }
  }
}
