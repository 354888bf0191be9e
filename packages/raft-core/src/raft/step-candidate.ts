/** What a candidate or pre-candidate does with a message of its term. */
import type { Message } from "../message.ts";
import { NONE } from "../types.ts";
import { campaign, countVote } from "./election.ts";
import { ACCEPTED, type ProposeOutcome } from "./outcome.ts";
import type { Raft } from "./raft.ts";
import { broadcastAppend } from "./replication.ts";
import { becomeFollower, becomeLeader } from "./roles.ts";
import { stepFollower } from "./step-follower.ts";

export function stepCandidate(raft: Raft, m: Message): ProposeOutcome {
  switch (m.type) {
    case "MsgProp":
      return raft.dropped("no-leader");
    // A message from a leader of this term: the election is over (Raft paper §5.2).
    case "MsgApp":
    case "MsgHeartbeat":
    case "MsgSnap":
      becomeFollower(raft, raft.term, m.from);
      return stepFollower(raft, m);
    case "MsgVoteResp":
      // Late answers of one phase do not count in the other.
      if (raft.role === "StateCandidate") handleVoteResponse(raft, m);
      return ACCEPTED;
    case "MsgPreVoteResp":
      if (raft.role === "StatePreCandidate") handleVoteResponse(raft, m);
      return ACCEPTED;
    default:
      return ACCEPTED;
  }
}

function handleVoteResponse(raft: Raft, m: Message): void {
  // A node's own vote comes back to it when it is durable.
  if (m.from === raft.id && raft.role === "StateCandidate") raft.durableTerm = raft.term;
  const { result } = countVote(raft, m.from, !m.reject);
  if (result === "VoteWon") {
    if (raft.role === "StatePreCandidate") {
      campaign(raft, "election");
    } else if (raft.durableTerm === raft.term) {
      becomeLeader(raft);
      broadcastAppend(raft);
    }
    // Otherwise the others were faster than the report that the own vote is durable, which comes next (E3).
  } else if (result === "VoteLost") {
    // In its own term: that of a pre-vote's answer is the term to come.
    becomeFollower(raft, raft.term, NONE);
  }
}
