/**
 * State Machine Safety, on the log's side (Raft paper §5.4.3): what one node knows committed at an index is what every node
 * knows committed there, for ever.
 */
import type { ObservedNode } from "../node/observed-node.ts";
import type { Invariant, Report } from "./invariant.ts";
import type { Ledger } from "./ledger.ts";

export class CommittedStays implements Invariant {
  readonly name = "committed-never-changes";
  readonly #report: Report;
  readonly #ledger: Ledger;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  started(node: ObservedNode): void {
    this.#compare(node, node.raft.log.firstIndex());
  }

  afterEvent(node: ObservedNode): void {
    if (node.raft.log.committed > node.before.committed) this.#compare(node, node.before.committed + 1);
  }

  #compare({ id, raft }: ObservedNode, from: number): void {
    const { committed } = this.#ledger;
    for (let index = Math.max(1, from); index <= raft.log.committed; index++) {
      const term = raft.log.term(index);
      // Under a snapshot: the snapshot's own place is compared, and what it stands for is by its digest.
      if (typeof term !== "number") continue;
      const known = committed[index];
      if (known === undefined) committed[index] = { term, inTerm: raft.term };
      else if (known.term !== term) {
        this.#report(this.name, `n${id} has ${index} committed with term ${term}, elsewhere it is ${known.term}`);
      }
    }
  }
}
