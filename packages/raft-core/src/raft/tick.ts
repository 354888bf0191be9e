/** The logical clock. Each tick says whether it did more than count. */
import { message } from "../message.ts";
import { NONE } from "../types.ts";
import { isPromotable } from "./election.ts";
import type { Raft } from "./raft.ts";
import { leaveJointIfDue } from "./reconfigure.ts";
import { abortLeaderTransfer } from "./roles.ts";

/** Followers and candidates: campaign when nothing was heard for the randomized timeout (Raft paper §5.2). */
export function tickElection(raft: Raft): boolean {
  raft.electionElapsed += 1;
  if (raft.electionElapsed < raft.randomizedElectionTicks || !isPromotable(raft)) return false;
  raft.electionElapsed = 0;
  raft.step(message({ type: "MsgHup", from: raft.id }));
  return true;
}

/**
 * Leaders: heartbeats, and once per election timeout the check of the quorum and the end of a hand-over (G1). Ticks that were
 * missed count for the heartbeats, or a leader whose process stands still again and again would send them too rarely to be
 * followed; they do not count against the members, whose answers may be waiting to be read.
 */
export function tickHeartbeat(raft: Raft, missedTicks: number): boolean {
  raft.heartbeatElapsed += 1 + missedTicks;
  raft.electionElapsed += 1;
  const isCheckDue = raft.electionElapsed >= raft.config.electionTicks;
  if (isCheckDue) {
    raft.electionElapsed = 0;
    if (raft.config.checkQuorum) raft.step(message({ type: "MsgCheckQuorum", from: raft.id }));
    // A hand-over takes at most an election timeout; after that proposals are taken again (thesis §3.10).
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
