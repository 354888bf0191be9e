/** Election Safety (Raft paper §5.2): at most one leader in each term. */
import type { NodeId, Term } from "@raftoral/raft-core";
import type { ObservedNode } from "../node/observed-node.ts";
import type { Invariant, Report } from "./invariant.ts";

export class OneLeaderPerTerm implements Invariant {
  readonly name = "one-leader-per-term";
  readonly #report: Report;
  readonly #leaders = new Map<Term, NodeId>();

  constructor(report: Report) {
    this.#report = report;
  }

  afterEvent(node: ObservedNode): void {
    const { raft, before } = node;
    if (raft.role !== "StateLeader" || (before.role === "StateLeader" && before.term === raft.term)) return;
    const other = this.#leaders.get(raft.term);
    if (other === undefined) this.#leaders.set(raft.term, node.id);
    else if (other !== node.id) this.#report(this.name, `n${node.id} and n${other} both lead term ${raft.term}`);
  }
}
