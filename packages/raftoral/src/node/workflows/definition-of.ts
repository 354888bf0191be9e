import type { WorkflowDefinition } from "@raftoral/workflow";

/** The definition that a start means: the newest one for version 0. */
export function definitionOf(
  definitions: readonly WorkflowDefinition[],
  type: string,
  version: number,
): WorkflowDefinition | undefined {
  const fitting = definitions.filter((each) => each.type === type && (version === 0 || each.version === version));
  return fitting.reduce<WorkflowDefinition | undefined>(
    (a, b) => (a !== undefined && a.version > b.version ? a : b),
    undefined,
  );
}
