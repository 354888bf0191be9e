/** How callers name a workflow. */
import type { WorkflowDefinition } from "@raftoral/workflow";

/** What names a workflow: its type, or its definition. */
export type WorkflowName = string | { readonly type: string; readonly version?: number };

/** The type of a workflow by its definition's type: `"order"` of `workflow("order", ...)`. */
export type WorkflowType<Workflow> = Workflow extends WorkflowDefinition<unknown, unknown, infer Type> ? Type : never;
