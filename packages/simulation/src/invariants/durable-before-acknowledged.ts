/**
 * Nothing leaves a node that relies on what its disk does not hold (Raft paper, figure 2; thesis §3.8): a vote only when term
 * and vote are on the platter, an acknowledgement only when the entries are. Nothing is applied that a restart might not find
 * (the driver's snapshots cut the log there). A vote is also given to one candidate per term,
 * whatever crashed in between.
 */
import type { Message, NodeId } from "@raftoral/raft-core";
import type { ObservedNode } from "../node/observed-node.ts";
import type { Invariant, Report } from "./invariant.ts";

export class DurableBeforeAcknowledged implements Invariant {
  readonly name = "durable-before-acknowledged";
  readonly #report: Report;
  /** The candidate that got a node's vote, by node and term. */
  readonly #votes = new Map<string, NodeId>();

  constructor(report: Report) {
    this.#report = report;
  }

  sent(node: ObservedNode, message: Message): void {
    if (message.reject) return;
    if (message.type === "MsgVoteResp") this.#checkVote(node, message);
    else if (message.type === "MsgAppResp") this.#checkAppend(node, message);
  }

  afterEvent({ id, appliedIndex, disk: { platter } }: ObservedNode): void {
    if (appliedIndex > platter.lastIndex) {
      this.#report(this.name, `n${id} has applied ${appliedIndex}; on disk up to ${platter.lastIndex}`);
    }
  }

  #checkVote({ id, disk }: ObservedNode, { to, term }: Message): void {
    const { hardState } = disk.platter;
    if (hardState.term < term || (hardState.term === term && hardState.vote !== to)) {
      const stored = `term ${hardState.term}, vote n${hardState.vote}`;
      this.#report(this.name, `n${id} gives its vote of term ${term} to n${to}; on disk: ${stored}`);
    }
    const key = `${id} ${term}`;
    const other = this.#votes.get(key);
    if (other === undefined) this.#votes.set(key, to);
    else if (other !== to) this.#report("one-vote-per-term", `n${id} votes for n${other} and n${to} in term ${term}`);
  }

  #checkAppend({ id, disk, raft }: ObservedNode, { index, term }: Message): void {
    const { platter } = disk;
    if (platter.hardState.term < term) {
      this.#report(this.name, `n${id} acknowledges in term ${term}; on disk: term ${platter.hardState.term}`);
    }
    // In a later term another leader may have replaced what this one is told of, as if it had been stored for a moment: that
    // leader was elected by a majority that did not hold it.
    if (platter.hardState.term > term) return;
    if (platter.lastIndex < index && platter.snapshot.metadata.index < index) {
      this.#report(this.name, `n${id} acknowledges ${index} (term ${raft.term}); on disk up to ${platter.lastIndex}`);
    }
  }
}
