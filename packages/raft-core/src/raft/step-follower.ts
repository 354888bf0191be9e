/** What a follower does with a message of its term. */
import type { Message } from "../message.ts";
import { EMPTY_BYTES, NONE } from "../types.ts";
import { hup } from "./election.ts";
import { ACCEPTED, type ProposeOutcome } from "./outcome.ts";
import type { Raft } from "./raft.ts";
import { handleAppend, handleHeartbeat } from "./replication.ts";
import { handleSnapshot } from "./snapshot.ts";

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
      // A follower that forgets its leader may vote at once. A leader that reads by its lease relies on it not to.
      if (raft.config.readOnly !== "lease-based") raft.lead = NONE;
      return ACCEPTED;
    case "MsgTimeoutNow":
      // Never with a pre-vote: this node does not come back from a partition, and the leader is waiting.
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
 * Hands a message of this node's own to the leader. What another node has handed to this one goes no further: its sender was wrong
 * about the leader, and two nodes that each take the other for the leader would send it to and fro without end.
 */
function passOn(raft: Raft, m: Message): ProposeOutcome {
  if (m.to !== NONE) return raft.dropped("not-leader");
  raft.send({ ...m, to: raft.lead, term: 0 });
  return ACCEPTED;
}
