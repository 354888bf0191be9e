/** Messages to a follower in its term. */
import type { Message } from "../message.ts";
import { EMPTY_BYTES, NONE } from "../types.ts";
import { hup } from "./election.ts";
import { ACCEPTED, type ProposeOutcome } from "./outcome.ts";
import type { Raft } from "./raft.ts";
import { handleAppend, handleHeartbeat } from "./replication.ts";
import { handleSnapshot } from "./snapshot.ts";

/** Handles a message of the node's term, or one without a term, as a follower. */
export function stepFollower(raft: Raft, m: Message): ProposeOutcome {
  switch (m.type) {
    case "MsgProp":
      if (raft.lead === NONE) return raft.dropped("no-leader");
      if (raft.config.disableProposalForwarding) return raft.dropped("forwarding-disabled");
      return passOn(raft, m);
    case "MsgApp":
      hearFromLeader(raft, m);
      handleAppend(raft, m);
      return ACCEPTED;
    case "MsgHeartbeat":
      hearFromLeader(raft, m);
      handleHeartbeat(raft, m);
      return ACCEPTED;
    case "MsgSnap":
      hearFromLeader(raft, m);
      handleSnapshot(raft, m);
      return ACCEPTED;
    case "MsgTransferLeader":
    case "MsgReadIndex":
      return raft.lead === NONE ? ACCEPTED : passOn(raft, m);
    case "MsgForgetLeader":
      // A follower that forgets its leader may vote at once. A leader that reads by its lease relies on followers that do not (read-index.ts Q4).
      if (raft.config.readOnly !== "lease-based") raft.lead = NONE;
      return ACCEPTED;
    case "MsgTimeoutNow":
      // A transfer needs no pre-vote: this node does not return from a partition, and the leader takes no proposals until the transfer ends.
      hup(raft, "transfer");
      return ACCEPTED;
    case "MsgReadIndexResp":
      if (m.entries.length === 1) {
        raft.readStates.push({ index: m.index, context: m.entries[0]?.data ?? EMPTY_BYTES });
      }
      return ACCEPTED;
    default:
      return ACCEPTED;
  }
}

function hearFromLeader(raft: Raft, m: Message): void {
  raft.electionElapsed = 0;
  raft.leaderHeardAt = raft.ticks;
  raft.lead = m.from;
}

/**
 * Forwards a message of this node to the leader. A message that another node forwarded to this one is dropped: two nodes that take each
 * other for the leader would forward it to each other without end.
 */
function passOn(raft: Raft, m: Message): ProposeOutcome {
  if (m.to !== NONE) return raft.dropped("not-leader");
  raft.send({ ...m, to: raft.lead, term: 0 });
  return ACCEPTED;
}
