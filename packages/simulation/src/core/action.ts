/** One thing that a schedule does. Plain data: a run can be repeated from its actions, and with some of them left out. */
import type { NodeId } from "@raftoral/raft-core";
import type { ConfChangeV2 } from "@raftoral/raft-core/core";

export type ActionKind =
  /** Time passes: for one node, or for all where clocks tick together. */
  | "tick"
  /** A node takes its Ready. */
  | "turn"
  /** A node's oldest write becomes durable. */
  | "write"
  /** A node applies, or reports that it has applied, what was handed out first. */
  | "apply"
  /** A node does all that it owes. */
  | "settle"
  /** Everything under way arrives and is carried out, everywhere, until nothing is left to do. No time passes. */
  | "rest"
  /** A message from `at` to `to` arrives: the one in place `amount`, counted around the length of the queue. */
  | "deliver"
  | "drop"
  /** It arrives, and stays under way. */
  | "repeat"
  /** A process ends; `amount` of its writes survive. */
  | "crash"
  | "start"
  | "campaign"
  | "propose"
  /** Two proposals in one. */
  | "propose-two"
  /** `amount` is a number of its own for the change. */
  | "change"
  | "transfer"
  | "read"
  /** A node takes a snapshot and keeps `amount` entries behind it. */
  | "compact"
  /** A node is told that it cannot reach `to`. */
  | "unreachable"
  | "forget-leader"
  /** A node that the group does not need any more is stopped for good. */
  | "retire"
  /** A learner comes back with an empty disk. */
  | "wipe";

export interface Action {
  readonly kind: ActionKind;
  readonly at: NodeId;
  readonly to: NodeId;
  readonly amount: number;
  readonly change: ConfChangeV2 | undefined;
}

/** An action; what `fields` leaves out is 0. */
export function action(kind: ActionKind, at: NodeId, fields: Partial<Action> = {}): Action {
  return { kind, at, to: fields.to ?? 0, amount: fields.amount ?? 0, change: fields.change };
}

/** A configuration change as text: `AddNode n4, RemoveNode n1 (Explicit)`. */
export function showChange({ transition, changes }: ConfChangeV2): string {
  const all = changes.map(({ type, nodeId }) => `${type} n${nodeId}`).join(", ");
  return `${all === "" ? "leave the joint configuration" : all}${transition === "Auto" ? "" : ` (${transition})`}`;
}
