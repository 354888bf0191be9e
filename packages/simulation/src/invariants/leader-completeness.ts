/** Leader Completeness (Raft paper §5.4): a new leader holds everything that was committed in earlier terms. */
import type { ObservedNode } from "../node/observed-node.ts";
import type { Invariant, Report } from "./invariant.ts";
import type { Ledger } from "./ledger.ts";

export class LeaderCompleteness implements Invariant {
  readonly name = "leader-completeness";
  readonly #report: Report;
  readonly #ledger: Ledger;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  afterEvent({ id, raft, before }: ObservedNode): void {
    if (raft.role !== "StateLeader" || (before.role === "StateLeader" && before.term === raft.term)) return;
    const { committed } = this.#ledger;
    // The terms in which entries were committed rise with the index: the last one of an earlier term stands for all.
    let index = committed.length - 1;
    while (index > 0 && (committed[index]?.inTerm ?? 0) >= raft.term) index--;
    const last = committed[index];
    if (last === undefined || index < raft.log.firstIndex() - 1) return;
    const term = raft.log.term(index);
    if (term !== last.term) {
      this.#report(
        this.name,
        `n${id} leads term ${raft.term} with ${term} at ${index}, which was committed with ${last.term}`,
      );
    }
  }
}
