/** Who is, was and never was a member, by all configurations that were in force so far. */
import type { ConfState, LogIndex, NodeId } from "@raftoral/raft-core";
import type { Ledger } from "../invariants/ledger.ts";

/** The voters, outgoing voters and learners of a configuration, each once. */
export function membersOf({ voters, votersOutgoing, learners }: ConfState): readonly NodeId[] {
  return [...new Set([...voters, ...votersOutgoing, ...learners])];
}

/** Whether a node was a member of some configuration before `index`, and is none of the last one before it. */
export function wasRemoved(
  { configurations }: Ledger,
  id: NodeId,
  index: LogIndex = Number.POSITIVE_INFINITY,
): boolean {
  const before = configurations.filter((one) => one.index < index).map(({ confState }) => confState);
  const latest = before.at(-1);
  return latest !== undefined && !membersOf(latest).includes(id) && before.some((one) => membersOf(one).includes(id));
}

/** Whether a node is a learner and had a vote in no configuration. */
export function hasOnlyLearned({ configurations }: Ledger, id: NodeId): boolean {
  if (configurations.at(-1)?.confState.learners.includes(id) !== true) return false;
  return !configurations.some(
    ({ confState: { voters, votersOutgoing } }) => voters.includes(id) || votersOutgoing.includes(id),
  );
}
