/** The logical clock. Each tick returns whether it did more than count. */
import { message } from "../message.ts";
import { NONE } from "../types.ts";
import { isPromotable } from "./election.ts";
import type { Raft } from "./raft.ts";
import { leaveJointIfDue } from "./reconfigure.ts";
import { abortLeaderTransfer } from "./roles.ts";

/** Followers and candidates: stand for election when no leader was heard for the randomized timeout (Raft paper §5.2). */
export function tickElection(raft: Raft): boolean {
  raft.electionElapsed += 1;
  if (raft.electionElapsed < raft.randomizedElectionTicks || !isPromotable(raft)) return false;
  raft.electionElapsed = 0;
  raft.step(message({ type: "MsgHup", from: raft.id }));
  return true;
}

/**
 * Leaders: send heartbeats, and once per election timeout check the quorum and end a hand-over. Missed ticks
 * count for the heartbeats; otherwise a leader whose process stands still again and again would send too few heartbeats to stay
 * leader. Missed ticks do not count for the check of the quorum, because answers of members may be waiting to be read.
 */
export function tickHeartbeat(raft: Raft, missedTicks: number): boolean {
  raft.heartbeatElapsed += 1 + missedTicks;
  raft.electionElapsed += 1;
  const isCheckDue = raft.electionElapsed >= raft.config.electionTicks;
  if (isCheckDue) {
    raft.electionElapsed = 0;
    if (raft.config.checkQuorum) raft.step(message({ type: "MsgCheckQuorum", from: raft.id }));
    // A hand-over takes at most an election timeout; after that the leader takes proposals again (thesis §3.10). It also leaves a joint
    // configuration, because the proposal to leave is dropped during a hand-over (reconfigure.ts G1).
    if (raft.role === "StateLeader" && raft.leadTransferee !== NONE) {
      abortLeaderTransfer(raft);
      leaveJointIfDue(raft);
    }
  }
  if (raft.role !== "StateLeader" || raft.heartbeatElapsed < raft.config.heartbeatTicks) return isCheckDue;
  raft.heartbeatElapsed = 0;
  raft.step(message({ type: "MsgBeat", from: raft.id }));
  return isCheckDue || raft.messages.length > 0;
}
