/**
 * Changes of role (Raft paper, figure 4; thesis §9.6 for the pre-candidate). Every change except the one to pre-candidate clears
 * the state of the old role and draws a new election timeout.
 */
import { invariant } from "../errors.ts";
import { Inflights } from "../tracker/inflights.ts";
import { Progress } from "../tracker/progress.ts";
import { EMPTY_BYTES, NONE, type NodeId, type Term } from "../types.ts";
import type { Raft } from "./raft.ts";
import { newReadIndexQueue } from "./read-index.ts";
import { appendEntries } from "./replication.ts";

/** Follows `lead` in `term`; `lead` is NONE when no leader is known. `term` must not be below the node's (raft.ts R1). */
export function becomeFollower(raft: Raft, term: Term, lead: NodeId): void {
  reset(raft, term);
  raft.lead = lead;
  raft.role = "StateFollower";
}

/** Stands for election in the next term, with its own vote (Raft paper §5.2). */
export function becomeCandidate(raft: Raft): void {
  invariant(raft.role !== "StateLeader", "a leader does not stand for election");
  reset(raft, raft.term + 1);
  raft.vote = raft.id;
  raft.role = "StateCandidate";
}

/** Begins to ask whether it would win an election. Term, vote and timeout do not change (thesis §9.6). */
export function becomePreCandidate(raft: Raft): void {
  invariant(raft.role !== "StateLeader", "a leader does not stand for election");
  raft.tracker.resetVotes();
  raft.lead = NONE;
  raft.role = "StatePreCandidate";
}

/** Leads its term, beginning with an empty entry. Committing that entry commits every entry before it (Raft paper §5.4.2, §8). */
export function becomeLeader(raft: Raft): void {
  invariant(raft.role !== "StateFollower", "a follower becomes leader only through an election");
  invariant(raft.vote === raft.id, () => `R1: leader of term ${raft.term} without its own vote`);
  invariant(raft.durableTerm === raft.term, () => `E3: the vote of the leader of term ${raft.term} is not durable`);
  reset(raft, raft.term);
  raft.lead = raft.id;
  raft.role = "StateLeader";
  const own = raft.tracker.get(raft.id);
  invariant(own !== undefined, "a leader is a member when elected");
  own.becomeReplicate();
  own.recentActive = true;
  // The uncommitted tail may hold a configuration change. Waiting until the whole tail is applied is safe and needs no scan (raft.ts R5).
  raft.pendingConfIndex = raft.log.lastIndex();
  const accepted = appendEntries(raft, [{ term: 0, index: 0, type: "EntryNormal", data: EMPTY_BYTES }]);
  invariant(accepted, "an empty entry is never refused");
}

/** Ends a hand-over of leadership that did not happen. */
export function abortLeaderTransfer(raft: Raft): void {
  raft.leadTransferee = NONE;
}

function reset(raft: Raft, term: Term): void {
  invariant(term >= raft.term, () => `R1: term went back from ${raft.term} to ${term}`);
  // A leader lost its office before the entry of removal.ts RV1 was committed (removal.ts RV3).
  if (raft.lossOfVotesAt > raft.log.committed) raft.lossUnconfirmedIn = raft.term;
  if (raft.term !== term) {
    raft.term = term;
    raft.vote = NONE;
  }
  raft.lead = NONE;
  raft.electionElapsed = 0;
  raft.heartbeatElapsed = 0;
  const { electionTicks, rng } = raft.config;
  raft.randomizedElectionTicks = electionTicks + rng.below(electionTicks);
  abortLeaderTransfer(raft);
  raft.tracker.resetVotes();
  resetProgress(raft);
  raft.pendingConfIndex = 0;
  raft.lossOfVotesAt = 0;
  raft.uncommittedBytes = 0;
  raft.reads = newReadIndexQueue();
  raft.postponedReads = [];
}

/** Forgets how far the other members are: after an election only the node's own log is known (Raft paper, figure 2: nextIndex and matchIndex). */
function resetProgress(raft: Raft): void {
  const { tracker } = raft;
  const lastIndex = raft.log.lastIndex();
  const progress = new Map<NodeId, Progress>();
  for (const [id, { isLearner }] of tracker.progress) {
    progress.set(
      id,
      new Progress({
        match: id === raft.id ? lastIndex : 0,
        next: lastIndex + 1,
        inflights: new Inflights(tracker.maxInflight, tracker.maxInflightBytes),
        isLearner,
        recentActive: false,
      }),
    );
  }
  tracker.adopt(tracker.config, progress);
}
