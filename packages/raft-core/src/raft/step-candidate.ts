/** Messages to a candidate or pre-candidate in its term. */
import type { Message } from "../message.ts";
import { NONE } from "../types.ts";
import { campaign, countVote } from "./election.ts";
import { ACCEPTED, type ProposeOutcome } from "./outcome.ts";
import type { Raft } from "./raft.ts";
import { broadcastAppend } from "./replication.ts";
import { becomeFollower, becomeLeader } from "./roles.ts";
import { stepFollower } from "./step-follower.ts";

/** Handles a message of the node's term, or one without a term, as a candidate or pre-candidate. */
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
    // Otherwise the other votes came before the report that the own vote is durable. That report comes next (election.ts E3).
  } else if (result === "VoteLost") {
    // The node stays in its own term. The answer to a pre-vote carries the next one.
    becomeFollower(raft, raft.term, NONE);
  }
}
