/**
 * State Machine Safety, on the log's side (Raft paper §5.4.3): what one node knows committed at an index is what every node
 * knows committed there, for ever.
 */
import type { LogIndex } from "@raftoral/raft-core";
import type { Invariant, Report } from "./invariant.ts";
import type { Ledger } from "./ledger.ts";
import { nameOf, type Observed } from "./observed.ts";

/** Checks that committed entries stay. */
export class CommittedStays implements Invariant {
  readonly name = "committed-never-changes";
  readonly #report: Report;
  readonly #ledger: Ledger;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  started(node: Observed): void {
    this.#compare(node, node.raft.log.firstIndex() - 1);
  }

  /** Noted before anything else is done with it: a message of the same event may tell it. */
  counted(node: Observed): void {
    this.#compare(node, node.before.committed + 1);
  }

  afterEvent(node: Observed): void {
    if (node.raft.log.committed > node.before.committed) this.#compare(node, node.before.committed + 1);
  }

  #compare(node: Observed, from: LogIndex): void {
    const { raft } = node;
    const { committed } = this.#ledger;
    for (let index = Math.max(1, from); index <= raft.log.committed; index++) {
      const term = raft.log.term(index);
      // Under a snapshot: the snapshot's own place is compared, and what it stands for is by its digest.
      if (typeof term !== "number") continue;
      const known = committed[index];
      if (known === undefined) {
        committed[index] = { term, inTerm: raft.term, by: { id: node.id, incarnation: node.incarnation } };
      } else if (known.term !== term) {
        const elsewhere = `${known.term} for ${nameOf(known.by)}`;
        this.#report(this.name, `${nameOf(node)} has ${index} committed with term ${term}; it is ${elsewhere}`);
      }
    }
  }
}
