/**
 * Elections: who may stand, asking for votes, and giving them (Raft paper §5.2 and §5.4.1; thesis §9.6 for pre-votes).
 *
 * Invariants:
 * E1. A vote is given only to a candidate whose log is at least as up to date as this one (§5.4.1).
 * E2. No node stands while a committed configuration change waits to be applied. It would count votes of a configuration that
 *     may be two changes behind, and majorities of those two configurations need not overlap.
 * E3. A candidate becomes leader only when its own vote is durable and counted. A leader's term is therefore on its disk, with
 *     everything that its log held when it asked for votes.
 * E4. A request for a vote and its answer tell the highest entry that the sender knows to be committed. A receiver that holds that
 *     entry commits it, in any term, because a committed entry stays committed. So a removed member that cannot stand itself still
 *     tells the others that its removal is committed; otherwise they could wait for its vote for ever. A candidate that learns of a
 *     configuration change in this way becomes a follower (E2).
 */
import type { Message } from "../message.ts";
import type { VoteTally } from "../tracker/progress-tracker.ts";
import { type LogIndex, NONE, type NodeId, type Term } from "../types.ts";
import type { Raft } from "./raft.ts";
import { becomeCandidate, becomeFollower, becomePreCandidate } from "./roles.ts";

/** Kinds of campaign. "transfer": the leader asked for it. No pre-vote is needed, and followers vote although they still hear the old leader. */
export type CampaignType = "pre-election" | "election" | "transfer";

/** Marks the vote requests of a transfer. The bytes are part of the wire format: ASCII "CampaignTransfer". */
export const CAMPAIGN_TRANSFER: Uint8Array = Uint8Array.from("CampaignTransfer", (char) => char.charCodeAt(0));

/** Whether this node may become leader: it is a voter of either half, and no received snapshot waits to be stored. */
export function isPromotable(raft: Raft): boolean {
  const own = raft.tracker.get(raft.id);
  return own !== undefined && !own.isLearner && raft.log.unstable.snapshot === undefined;
}

/** Starts a campaign if this node may. With "lease-based" reads a campaign waits until the promise to the last leader is over. */
export function hup(raft: Raft, type: CampaignType): void {
  if (raft.role === "StateLeader" || !isPromotable(raft) || hasUnappliedConfChanges(raft)) return;
  // A single voter has promised nothing to another leader.
  if (type !== "transfer" && hasPromised(raft) && !raft.tracker.isSingleton()) return;
  campaign(raft, type);
}

/** Asks every voter, of both halves while joint, for a vote or pre-vote, in ascending order of ids. */
export function campaign(raft: Raft, type: CampaignType): void {
  const preElection = type === "pre-election";
  if (preElection) becomePreCandidate(raft);
  else becomeCandidate(raft);
  // A pre-vote is about the term the node would campaign for.
  const term = preElection ? raft.term + 1 : raft.term;
  for (const to of raft.tracker.voterNodes()) {
    if (to === raft.id) {
      // Its own vote counts once it is durable, like any other.
      raft.send({ type: preElection ? "MsgPreVoteResp" : "MsgVoteResp", to, term });
      continue;
    }
    raft.send({
      type: preElection ? "MsgPreVote" : "MsgVote",
      to,
      term,
      index: raft.log.lastIndex(),
      logTerm: raft.log.lastTerm(),
      context: type === "transfer" ? CAMPAIGN_TRANSFER : undefined,
      ...highestCommitted(raft),
    });
  }
}

/** The highest entry known to be committed. Requests for votes and their answers carry it (E4). */
export function highestCommitted({ log }: Raft): { readonly commit: LogIndex; readonly commitTerm: Term } {
  return { commit: log.committed, commitTerm: log.termOrZero(log.committed) };
}

/** Moves the commit index to the one that a request for a vote, or its answer, tells (E4). */
export function learnCommitted(raft: Raft, m: Message): void {
  const { log } = raft;
  // A leader commits only by counting (raft.ts R4). Without a term the sender tells no commit index.
  if (raft.role === "StateLeader" || m.commitTerm === 0 || m.commit <= log.committed) return;
  if (!log.matchTerm(m.commit, m.commitTerm)) return;
  log.commitTo(m.commit);
  if (raft.role !== "StateFollower" && hasUnappliedConfChanges(raft)) becomeFollower(raft, raft.term, NONE);
}

/** Counts one answer, and returns the result of the election so far. A second answer of a node does not replace its first. */
export function countVote(raft: Raft, from: NodeId, granted: boolean): VoteTally {
  raft.tracker.recordVote(from, granted);
  return raft.tracker.tallyVotes();
}

/**
 * Whether `m`, of a higher term, is a vote request to ignore because this node heard a leader within the shortest
 * election timeout (thesis §4.2.3). A leader that reads by its lease relies on this promise (thesis §6.4.1).
 */
export function isHeldOffByLease(raft: Raft, m: Message): boolean {
  if (m.type !== "MsgVote" && m.type !== "MsgPreVote") return false;
  if (!raft.config.checkQuorum || isTransfer(m)) return false;
  return (raft.lead !== NONE && raft.electionElapsed < raft.config.electionTicks) || hasPromised(raft);
}

/**
 * "lease-based": whether this node may have answered a leader within the shortest election timeout. The leader's lease rests on such answers
 * (`read-index.ts Q4`). Therefore a node keeps the promise over a restart and over a campaign of its own.
 */
function hasPromised({ config, ticks, leaderHeardAt }: Raft): boolean {
  return config.readOnly === "lease-based" && ticks - leaderHeardAt < config.electionTicks;
}

/**
 * Grants or refuses a vote or a pre-vote. Learners vote, too: a learner may have been promoted by a change that it has not applied yet, and
 * the majority may depend on its vote.
 */
export function answerVoteRequest(raft: Raft, m: Message): void {
  const canVote =
    raft.vote === m.from ||
    (raft.vote === NONE && raft.lead === NONE) ||
    (m.type === "MsgPreVote" && m.term > raft.term);
  const type = m.type === "MsgVote" ? "MsgVoteResp" : "MsgPreVoteResp";
  if (!canVote || !raft.log.isUpToDate(m.index, m.logTerm)) {
    // Before its first term a node has no term to refuse in, so it stays silent.
    if (raft.term > 0) raft.send({ type, to: m.from, term: raft.term, reject: true, ...highestCommitted(raft) });
    return;
  }
  // The answer carries the term of the request. For a pre-vote this node's own term is lower, and the sender drops answers of lower terms.
  raft.send({ type, to: m.from, term: m.term, ...highestCommitted(raft) });
  if (m.type === "MsgVote") {
    raft.electionElapsed = 0;
    raft.vote = m.from;
  }
}

function isTransfer(m: Message): boolean {
  const { context } = m;
  return (
    context !== undefined &&
    context.length === CAMPAIGN_TRANSFER.length &&
    context.every((byte, at) => byte === CAMPAIGN_TRANSFER[at])
  );
}

function hasUnappliedConfChanges(raft: Raft): boolean {
  const { log } = raft;
  if (log.applied >= log.committed) return false;
  // Compacted entries are applied, although the report of it may still be on its way.
  const from = Math.max(log.applied + 1, log.firstIndex());
  // Reads pages of the same size as those handed out for applying, so that the memory needed has the same bound.
  return log.some(from, log.committed + 1, log.maxApplyingBytes, (entry) => entry.type !== "EntryNormal");
}
