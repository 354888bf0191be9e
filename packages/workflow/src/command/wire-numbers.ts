/** Numbers of proto/raftoral/raftoral.proto that the codec uses. Positions in the lists are the enums' numbers. */
import type { OwnerChangeCause, RecordKind, RunOutcome, WorkflowCommand } from "./workflow-command.ts";

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

export const OUTCOMES: readonly RunOutcome["status"][] = Object.freeze(["completed", "failed", "cancelled"] as const);

export const RECORD_KINDS: readonly RecordKind[] = Object.freeze([
  "step",
  "step-failed",
  "variable",
  "sleep",
  "wait-deadline",
  "now",
  "signal",
  "signal-timeout",
  "variable-failed",
] as const);

export const OWNER_CHANGE_CAUSES: readonly OwnerChangeCause[] = Object.freeze([
  "node-failure",
  "load-balancing",
] as const);
