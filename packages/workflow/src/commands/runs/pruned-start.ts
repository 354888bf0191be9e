/** What a start does whose id a run had that was pruned: the id is kept for longer than the run, so that a start stays idempotent (tombstones.ts TS1). */
import { type IdPolicy, startDecision } from "../../model/runs/id-policy.ts";
import type { Tombstone } from "../../state/runs/tombstones.ts";
import { type Refused, refused } from "../refusal.ts";

/** As much of a start as decides. */
interface StartAgain {
  readonly workflowType: string;
  readonly version: number;
  readonly inputDigest?: Uint8Array;
  readonly isPinned?: boolean;
  readonly parent?: object;
  readonly idPolicy?: IdPolicy;
  readonly startId?: string;
}

/** The answer to a start under the id of a run that was pruned; "own" and "existing" when it is the start's run, as in `startDecision`; "begin" when a run begins under the id. A child begins: its parent has not heard of another one. */
export function startAfterPruning(pruned: Tombstone, command: StartAgain): "own" | "existing" | "begin" | Refused {
  if (command.parent !== undefined) return "begin";
  const { runId, workflowType, version, status } = pruned;
  const differs = differences(pruned, command);
  const isOwn = command.startId !== undefined && command.startId === pruned.startId;
  const decision = startDecision(command.idPolicy ?? "use-existing", { status, isOwn, isSame: differs.length === 0 });
  if (decision === "replace") return "begin";
  if (decision !== "conflict") return decision;
  return refused(
    "WORKFLOW_ID_CONFLICT",
    `Run ${runId} has ended (${status}) and was pruned${differs.length === 0 ? "" : `; it had ${differs.join(" and ")}`}. Its id is kept for longer. Choose another id, or ${differs.length === 0 ? "another id policy" : "delete the run"}.`,
    { runId, workflowType, version, status, pruned: true },
  );
}

/** Inputs are compared by their digests: nothing else is left of one. */
function differences(pruned: Tombstone, command: StartAgain): readonly string[] {
  const differs: string[] = [];
  const { workflowType, version, inputDigest } = pruned;
  if (workflowType !== command.workflowType) differs.push(`type ${workflowType}, not ${command.workflowType}`);
  if (command.isPinned === true && version !== command.version)
    differs.push(`version ${version}, not ${command.version}`);
  const { inputDigest: given } = command;
  const isKnown = inputDigest.length > 0 && given !== undefined && given.length > 0;
  if (isKnown && !inputDigest.every((byte, at) => byte === given[at])) differs.push("another input");
  return differs;
}
