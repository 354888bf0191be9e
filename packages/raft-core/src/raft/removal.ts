/**
 * How a leader makes sure that its group can go on without the voters that a change has removed.
 *
 * A change is in force on a node when that node has applied it. Until then a node counts votes by the voters before the change, and may
 * need the votes of removed nodes. The same can happen again after a crash, because the commit index need not be durable. The removed nodes may
 * be gone by then: a removed node stops, and its disk is wiped.
 *
 * Invariants:
 * RV1. With `stepDownOnRemoval`, a leader that applies a change which takes votes away appends an empty entry at once. A member that
 *      acknowledges this entry has on its disk that the change is committed, because the append carried such a commit index. Once
 *      the entry is committed, a majority of the remaining voters knows of the change and needs no other votes.
 * RV2. With `stepDownOnRemoval`, a leader that lost its own vote leads until that entry is committed. Then it asks an up-to-date
 *      voter to campaign, and steps down. From the change on it takes no proposals.
 * RV3. A leader that loses the leadership before that entry is committed does not know whether the others still need the nodes that lost their
 *      votes, which may include itself. It must not be stopped for good until it learns that an entry of a later term is committed, or a member
 *      says that the group does not need it. Its answer to a request for votes may be the only one that tells the others of the change (election.ts E4).
 */
import { invariant } from "../errors.ts";
import type { JointConfig } from "../quorum/joint.ts";
import { EMPTY_BYTES, NONE, type NodeId } from "../types.ts";
import type { Raft } from "./raft.ts";
import { appendEntries, broadcastAppend } from "./replication.ts";
import { becomeFollower } from "./roles.ts";

/** Leader: appends the empty entry of RV1 if a voter of `before`, the previous configuration, has no vote in the one in force. */
export function confirmLossOfVotes(raft: Raft, before: JointConfig): void {
  const { voters } = raft.tracker.config;
  if (!raft.config.stepDownOnRemoval || before.voters.ids.every((id) => voters.has(id))) return;
  const accepted = appendEntries(raft, [{ term: 0, index: 0, type: "EntryNormal", data: EMPTY_BYTES }]);
  invariant(accepted, "an empty entry is never refused");
  raft.lossOfVotesAt = raft.log.lastIndex();
  broadcastAppend(raft);
}

/** Leader: whether it has lost its own vote, and leads only until the others do not need it any more (RV2). */
export function isLeaving(raft: Raft): boolean {
  return raft.lossOfVotesAt > 0 && !raft.tracker.config.voters.has(raft.id);
}

/**
 * Whether the group may still need the nodes that lost their votes by the last change, as far as this node can tell. True when this node led as it
 * applied the change, and has not learned since that the group does not need them (RV1, RV3).
 */
export function needsThoseRemoved({ log, lossOfVotesAt, lossUnconfirmedIn }: Raft): boolean {
  if (log.committed < lossOfVotesAt) return true;
  return lossUnconfirmedIn > 0 && log.termOrZero(log.committed) <= lossUnconfirmedIn;
}

/** Leader without a vote: steps down once the entry of RV1 is committed (RV2). Call it when the commit index has moved. */
export function stepDownIfDue(raft: Raft): void {
  if (!isLeaving(raft) || raft.log.committed < raft.lossOfVotesAt) return;
  const successor = mostUpToDate(raft);
  if (successor !== NONE) raft.send({ type: "MsgTimeoutNow", to: successor });
  becomeFollower(raft, raft.term, NONE);
}

/** The voter that is known to have most of the log; the lowest id if several are equal. NONE when no voter is known to have the entry of RV1. */
function mostUpToDate({ tracker, lossOfVotesAt }: Raft): NodeId {
  let best: NodeId = NONE;
  let match = lossOfVotesAt - 1;
  for (const id of tracker.config.voters.incoming.ids) {
    const progress = tracker.get(id);
    if (progress === undefined || progress.match <= match) continue;
    best = id;
    match = progress.match;
  }
  return best;
}
