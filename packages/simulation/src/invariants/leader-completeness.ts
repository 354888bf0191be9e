/**
 * Leader Completeness (Raft paper §5.4): a new leader holds everything that was committed in earlier terms, and nothing was committed in
 * its own term before it led.
 */
import type { Invariant, Report } from "./invariant.ts";
import type { Ledger } from "./ledger.ts";
import { nameOf, type Observed } from "./observed.ts";

/** Checks the log of each new leader. */
export class LeaderCompleteness implements Invariant {
  readonly name = "leader-completeness";
  readonly #report: Report;
  readonly #ledger: Ledger;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  afterEvent(node: Observed): void {
    const { raft, before } = node;
    if (raft.role !== "StateLeader" || (before.role === "StateLeader" && before.term === raft.term)) return;
    const { committed } = this.#ledger;
    // The terms in which entries were committed rise with the index: the last one of a term up to this stands for all.
    let index = committed.length - 1;
    while (index > 0 && (committed[index]?.inTerm ?? 0) > raft.term) index--;
    const last = committed[index];
    if (last === undefined || index < raft.log.firstIndex() - 1) return;
    const term = raft.log.term(index);
    if (term === last.term) return;
    const where = `which ${nameOf(last.by)} committed with ${last.term} in term ${last.inTerm}`;
    this.#report(this.name, `${nameOf(node)} leads term ${raft.term} with ${term} at ${index}, ${where}`);
  }
}
