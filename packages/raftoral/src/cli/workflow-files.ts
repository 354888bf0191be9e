/**
 * Workflows from files: every export of a module that is a workflow. Node runs `.ts` files by stripping their types.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { WorkflowDefinition } from "@raftoral/workflow";
import { NodeError } from "../api/errors.ts";

/** Workflows in the order of files and exports. Throws WORKFLOW_FILE_INVALID, naming the file and what is wrong with it. */
export async function loadWorkflows(files: readonly string[]): Promise<readonly WorkflowDefinition[]> {
  const workflows: WorkflowDefinition[] = [];
  for (const file of files) workflows.push(...(await fromFile(file)));
  return workflows;
}

async function fromFile(file: string): Promise<readonly WorkflowDefinition[]> {
  const exports = await importFile(file);
  const found = new Set<WorkflowDefinition>();
  for (const value of Object.values(exports).flatMap((exported) => (Array.isArray(exported) ? exported : [exported]))) {
    if (isWorkflow(value)) found.add(value);
  }
  if (found.size === 0) {
    throw new NodeError(
      "WORKFLOW_FILE_INVALID",
      `${file} exports no workflow. Export what workflow("name", { version: 1 }, async (ctx, input) => ...) returns.`,
      { details: { file } },
    );
  }
  return [...found];
}

async function importFile(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NodeError("WORKFLOW_FILE_INVALID", `${file} cannot be loaded: ${reason}`, {
      cause: error,
      details: { file },
    });
  }
}

/** By shape: the file may have its own copy of the package, whose classes would not be ours. */
function isWorkflow(value: unknown): value is WorkflowDefinition {
  if (typeof value !== "object" || value === null) return false;
  const { type, version, run } = value as Partial<Record<keyof WorkflowDefinition, unknown>>;
  return typeof type === "string" && typeof version === "number" && typeof run === "function";
}
