/**
 * Term, vote, commit and applied only go forward in the life of a process (Raft paper, figure 2), and applied <= committed. A
 * vote changes within its term from none to someone, and then not any more. What holds beyond one life is in
 * durable-before-claimed.ts: a crash may forget what no message has told.
 */
import type { Invariant, Report } from "./invariant.ts";
import { nameOf, type Observed } from "./observed.ts";

/** Checks that nothing of a process goes back. */
export class Monotone implements Invariant {
  readonly name = "monotone";
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  afterEvent(node: Observed): void {
    const { raft, before } = node;
    const { log } = raft;
    if (raft.term < before.term) this.#report(this.name, `${nameOf(node)}: term ${before.term} became ${raft.term}`);
    if (raft.term === before.term && before.vote !== 0 && raft.vote !== before.vote) {
      this.#report(this.name, `${nameOf(node)}: vote of term ${raft.term} went from n${before.vote} to n${raft.vote}`);
    }
    if (log.committed < before.committed) {
      this.#report(this.name, `${nameOf(node)}: commit ${before.committed} became ${log.committed}`);
    }
    if (log.applied < before.applied) {
      this.#report(this.name, `${nameOf(node)}: applied ${before.applied} became ${log.applied}`);
    }
    if (log.applied > log.committed || log.committed > log.lastIndex()) {
      const positions = `applied ${log.applied}, committed ${log.committed}, last ${log.lastIndex()}`;
      this.#report(this.name, `${nameOf(node)}: ${positions}`);
    }
  }
}
