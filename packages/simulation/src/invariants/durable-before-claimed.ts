/**
 * Nothing leaves a node that relies on what its disk does not hold (Raft paper, figure 2; thesis §3.8):
 *
 * - a request for votes, and everything a leader says: its term, with its own vote in it, and the log that the request tells of;
 * - a vote: term and vote;
 * - an acknowledgement: the term, and the very entries that the leader has;
 * - an applied entry: the entry (a restart must find it; the driver's snapshots cut the log there).
 *
 * What was claimed holds for the whole run: a node votes for one candidate in a term whatever crashed in between, and comes back
 * from a crash with a term that is not below one it has told of. Answers to heartbeats and to pre-votes claim nothing that a crash
 * may not forget: a quorum that lets somebody lead has that leader's term on its disks.
 */
import type { NodeId, Term } from "@raftoral/raft-core";
import type { Message } from "@raftoral/raft-core/core";
import type { Invariant, Report } from "./invariant.ts";
import type { Ledger } from "./ledger.ts";
import { nameOf, type Observed } from "./observed.ts";
import { isFromLeader } from "./one-leader-per-term.ts";

/** Checks each message that a node sends against the node's disk. */
export class DurableBeforeClaimed implements Invariant {
  readonly name = "durable-before-claimed";
  readonly #report: Report;
  readonly #ledger: Ledger;
  /** The candidate that got a node's vote, its own included, by node and term. */
  readonly #votes = new Map<string, NodeId>();
  /** The highest term that a node has told of. */
  readonly #terms = new Map<NodeId, Term>();

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  started(node: Observed): void {
    const { term, vote } = node.platter.hardState;
    const told = this.#terms.get(node.id) ?? 0;
    if (term < told) this.#report(this.name, `${nameOf(node)} comes back in term ${term}; it has told of ${told}`);
    const voted = this.#votes.get(`${node.id} ${term}`);
    if (voted !== undefined && voted !== vote) {
      this.#report(
        this.name,
        `${nameOf(node)} comes back with vote n${vote} of term ${term}; it was given to n${voted}`,
      );
    }
  }

  wiped(nodeId: NodeId): void {
    this.#terms.delete(nodeId);
  }

  sent(node: Observed, message: Message): void {
    if (message.type === "MsgVote") {
      this.#checkVote(node, message.term, node.id, "asks for votes");
      this.#checkCandidatesLog(node, message);
    } else if (message.type === "MsgVoteResp") {
      if (!message.reject) this.#checkVote(node, message.term, message.to, "gives its vote");
    } else if (message.type === "MsgAppResp") {
      if (!message.reject) this.#checkAcknowledged(node, message);
    } else if (isFromLeader(message) && message.from === node.id) {
      this.#checkVote(node, message.term, node.id, `sends ${message.type}`);
    }
  }

  afterEvent(node: Observed): void {
    const { appliedIndex, platter } = node;
    if (appliedIndex > platter.lastIndex) {
      this.#report(this.name, `${nameOf(node)} has applied ${appliedIndex}; on disk up to ${platter.lastIndex}`);
    }
  }

  /** `what` it does says that its vote of `term` is `to`'s. */
  #checkVote(node: Observed, term: Term, to: NodeId, what: string): void {
    const { hardState } = node.platter;
    if (hardState.term < term || (hardState.term === term && hardState.vote !== to)) {
      const stored = `on disk: term ${hardState.term}, vote n${hardState.vote}`;
      this.#report(this.name, `${nameOf(node)} ${what} in term ${term} with its vote for n${to}; ${stored}`);
    }
    this.#tells(node.id, term);
    const key = `${node.id} ${term}`;
    const other = this.#votes.get(key);
    if (other === undefined) this.#votes.set(key, to);
    else if (other !== to) {
      this.#report("one-vote-per-term", `n${node.id} votes for n${other} and n${to} in term ${term}`);
    }
  }

  #checkCandidatesLog(node: Observed, { term, index, logTerm }: Message): void {
    const { platter } = node;
    // The request may be overtaken by the leader of its term, whose entries are on the disk by then; it cannot be granted any more.
    if (platter.hardState.term > term || this.#ledger.leaders.has(term)) return;
    if (!platter.covers(index, logTerm)) {
      const stored = `on disk up to ${platter.lastIndex}`;
      this.#report(this.name, `${nameOf(node)} asks for votes of term ${term} for a log up to ${index}; ${stored}`);
    }
  }

  #checkAcknowledged(node: Observed, { to, index, term }: Message): void {
    const { platter } = node;
    if (platter.hardState.term < term) {
      this.#report(this.name, `${nameOf(node)} acknowledges in term ${term}; on disk: term ${platter.hardState.term}`);
    }
    this.#tells(node.id, term);
    // In a later term another leader may have replaced what this one is told of, as if it had been stored for a moment: that
    // leader was elected by a majority that did not hold it.
    if (platter.hardState.term > term || index <= platter.compactedIndex) return;
    if (platter.lastIndex < index) {
      this.#report(
        this.name,
        `${nameOf(node)} acknowledges ${index} in term ${term}; on disk up to ${platter.lastIndex}`,
      );
      return;
    }
    const leader = this.#ledger.runningLeader(term);
    if (leader?.id !== to) return;
    const [stored, wanted] = [platter.term(index), leader.raft.log.term(index)];
    if (typeof wanted === "number" && stored !== wanted) {
      this.#report(
        this.name,
        `${nameOf(node)} acknowledges ${index}/${wanted} to ${nameOf(leader)}; on disk it is of term ${stored}`,
      );
    }
  }

  #tells(nodeId: NodeId, term: Term): void {
    if ((this.#terms.get(nodeId) ?? 0) < term) this.#terms.set(nodeId, term);
  }
}
