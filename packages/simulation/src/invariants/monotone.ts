/**
 * Term, vote, commit and applied only go forward in the life of a process (Raft paper, figure 2), and applied <= committed. A
 * vote changes within its term from none to someone, and then not any more.
 */
import type { ObservedNode } from "../node/observed-node.ts";
import type { Invariant, Report } from "./invariant.ts";

export class Monotone implements Invariant {
  readonly name = "monotone";
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  afterEvent({ id, raft, before }: ObservedNode): void {
    const { log } = raft;
    if (raft.term < before.term) this.#report(this.name, `n${id}: term ${before.term} became ${raft.term}`);
    if (raft.term === before.term && before.vote !== 0 && raft.vote !== before.vote) {
      this.#report(this.name, `n${id}: vote of term ${raft.term} went from n${before.vote} to n${raft.vote}`);
    }
    if (log.committed < before.committed) {
      this.#report(this.name, `n${id}: commit ${before.committed} became ${log.committed}`);
    }
    if (log.applied < before.applied)
      this.#report(this.name, `n${id}: applied ${before.applied} became ${log.applied}`);
    if (log.applied > log.committed || log.committed > log.lastIndex()) {
      this.#report(this.name, `n${id}: applied ${log.applied}, committed ${log.committed}, last ${log.lastIndex()}`);
    }
  }
}
