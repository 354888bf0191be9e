/**
 * What a leader does so that its group can go on without the voters that a change has taken away.
 *
 * A change is in force on a node when that node has applied it. Until then, and again after a crash, for the commit index need not be
 * durable, a node counts by the voters before the change, and may need the votes of those that were removed. These may be
 * gone by then: a removed node stops, and its disk is wiped.
 *
 * Invariants:
 * RV1. With `stepDownOnRemoval`, a leader that applies a change which takes votes away appends an empty entry at once. Whoever
 *      acknowledges this entry has on its disk that the change is committed, for the append carried such a commit index. Once
 *      the entry is committed, a majority of the voters that are left knows, and needs nobody else.
 * RV2. With `stepDownOnRemoval`, a leader that lost its own vote leads until that entry is committed. Then it asks an up-to-date
 *      voter to campaign, and steps down. From the change on it takes no proposals.
 * RV3. A leader that loses its office before that entry is committed does not know whether the others need those who lost their votes, itself
 *      among them. It must not be stopped for good until it hears that an entry of a later term is committed, or a member says
 *      so: the others may count on its answer to their requests for votes, which tells them of the change (election.ts E4).
 */
import { invariant } from "../errors.ts";
import type { JointConfig } from "../quorum/joint.ts";
import { EMPTY_BYTES, NONE, type NodeId } from "../types.ts";
import type { Raft } from "./raft.ts";
import { appendEntries, broadcastAppend } from "./replication.ts";
import { becomeFollower } from "./roles.ts";

/** Leader: the configuration in force has followed `before`. Appends the entry of RV1 if somebody lost a vote. */
export function confirmLossOfVotes(raft: Raft, before: JointConfig): void {
  const { voters } = raft.tracker.config;
  if (!raft.config.stepDownOnRemoval || before.voters.ids.every((id) => voters.has(id))) return;
  const accepted = appendEntries(raft, [{ term: 0, index: 0, type: "EntryNormal", data: EMPTY_BYTES }]);
  invariant(accepted, "an empty entry is never refused");
  raft.lossOfVotesAt = raft.log.lastIndex();
  broadcastAppend(raft);
}

/** Leader: whether it has lost its own vote, and leads only until the others need it no more (RV2). */
export function isLeaving(raft: Raft): boolean {
  return raft.lossOfVotesAt > 0 && !raft.tracker.config.voters.has(raft.id);
}

/**
 * Whether the others may need those from whom the last change took votes, as far as this node can tell: it led when it applied the change, and has
 * not learned yet that they do not (RV1, RV3).
 */
export function needsThoseRemoved({ log, lossOfVotesAt, lossUnconfirmedIn }: Raft): boolean {
  if (log.committed < lossOfVotesAt) return true;
  return lossUnconfirmedIn > 0 && log.termOrZero(log.committed) <= lossUnconfirmedIn;
}

/** Leader: the commit index has moved. Steps down if nothing is left to do without a vote (RV2). */
export function stepDownIfDue(raft: Raft): void {
  if (!isLeaving(raft) || raft.log.committed < raft.lossOfVotesAt) return;
  const successor = mostUpToDate(raft);
  if (successor !== NONE) raft.send({ type: "MsgTimeoutNow", to: successor });
  becomeFollower(raft, raft.term, NONE);
}

/** The voter that is known to have most of the log; the lowest id of several. It has the entry of RV1, or nobody has. */
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
