/** Numbers of proto/raftoral/raftoral.proto that the codec uses. Positions in the lists are the enums' numbers. */
import type { CheckpointKind, OwnerChangeCause, RunOutcome, WorkflowCommand } from "./workflow-command.ts";

/** Field of `WorkflowCommand` for each kind. */
export const FIELD: Readonly<Record<WorkflowCommand["kind"], number>> = Object.freeze({
  WorkflowStart: 1,
  WorkflowEnd: 2,
  Checkpoint: 3,
  OwnerChange: 4,
  Signal: 16,
  SignalReceive: 17,
  Cancel: 18,
  NodeRegister: 19,
  NodeLost: 20,
  NodeDrain: 21,
  Prune: 22,
});

export const OUTCOMES: readonly RunOutcome["status"][] = Object.freeze(["Completed", "Failed", "Cancelled"] as const);

export const CHECKPOINT_KINDS: readonly CheckpointKind[] = Object.freeze([
  "STEP",
  "STEP_FAILED",
  "VARIABLE",
  "SLEEP",
  "WAIT_DEADLINE",
  "NOW",
  "SIGNAL",
  "SIGNAL_TIMEOUT",
] as const);

export const OWNER_CHANGE_CAUSES: readonly OwnerChangeCause[] = Object.freeze([
  "NODE_FAILURE",
  "LOAD_BALANCING",
] as const);
