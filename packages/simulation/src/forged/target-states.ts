/** What a node is in the middle of when a forged message comes: counted, for a fuzz that never meets a state says nothing about it. */
import type { CoreNode } from "../core/core-node.ts";
import { leadsWithoutVote } from "../invariants/observed.ts";

/** Every state that is counted, by name, and whether a node is in it. */
export const TARGET_STATES: Readonly<Record<string, (node: CoreNode) => boolean>> = {
  follower: ({ raft }) => raft.role === "StateFollower",
  "pre-candidate": ({ raft }) => raft.role === "StatePreCandidate",
  candidate: ({ raft }) => raft.role === "StateCandidate",
  leader: ({ raft }) => raft.role === "StateLeader",
  learner: ({ raft }) => raft.isLearner,
  removed: ({ raft, appliedIndex }) => raft.tracker.get(raft.id) === undefined && appliedIndex > 0,
  newcomer: ({ raft, appliedIndex }) => raft.tracker.get(raft.id) === undefined && appliedIndex === 0,
  joint: ({ raft }) => raft.tracker.config.voters.isJoint,
  "no leader known": ({ raft }) => raft.lead === 0,
  "entries not written": ({ raft, platter }) => platter.lastIndex < raft.log.lastIndex(),
  "term not written": ({ raft, platter }) => platter.hardState.term !== raft.term,
  "received snapshot not written": ({ raft }) => raft.log.unstable.snapshot !== undefined,
  "entries not applied": ({ raft }) => raft.log.applied < raft.log.committed,
  "log compacted": ({ raft }) => raft.log.firstIndex() > 8,
  "leader without a commit of its own": ({ raft }) =>
    raft.role === "StateLeader" && raft.log.termOrZero(raft.log.committed) !== raft.term,
  "leader that hands over": ({ raft }) => raft.leadTransferee !== 0,
  "leader that lost its vote": ({ raft }) => leadsWithoutVote({ raft }),
  "leader with a change under way": ({ raft }) =>
    raft.role === "StateLeader" && raft.pendingConfIndex > raft.log.applied,
  "leader with reads": ({ raft }) => raft.reads.waiting.length + raft.postponedReads.length > 0,
  "leader that probes": ({ raft }) => isSendingIn(raft, "StateProbe"),
  "leader that sends a snapshot": ({ raft }) => isSendingIn(raft, "StateSnapshot"),
};

function isSendingIn({ role, tracker }: CoreNode["raft"], state: string): boolean {
  return role === "StateLeader" && [...tracker.progress.values()].some((progress) => progress.state === state);
}

/** The states of interest that a node is in when a forged message arrives. */
export function targetStatesOf(node: CoreNode): readonly string[] {
  return Object.entries(TARGET_STATES).flatMap(([name, isIn]) => (isIn(node) ? [name] : []));
}
