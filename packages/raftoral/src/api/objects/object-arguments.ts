/** Objects and workflows that are taken for each other: refused before anything is started. */
import { notAnObjectText, notAWorkflowText } from "@raftoral/workflow";
import { NodeError } from "../errors.ts";

/** The failure of a start of a type of objects. */
export function notAWorkflow(type: string): NodeError {
  return new NodeError("REQUEST_INVALID", notAWorkflowText(type), { details: { argument: "workflow", type } });
}

/** The failure of a call of an object whose type is a workflow's. */
export function notAnObject(type: string): NodeError {
  return new NodeError("REQUEST_INVALID", notAnObjectText(type), { details: { argument: "object", type } });
}
