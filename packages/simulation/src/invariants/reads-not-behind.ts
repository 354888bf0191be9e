/**
 * A linearizable read sees everything that anybody knew to be committed when it was asked for (thesis §6.4). Held against the
 * index that the core answers with, so that it needs no client that happens to look at the right register.
 *
 * A read by a leader's lease is right only when the clocks are, so the run says which reads are held to it.
 */
import type { LogIndex } from "@raftoral/raft-core";
import type { ReadState } from "@raftoral/raft-core/core";
import type { Invariant, Report } from "./invariant.ts";
import type { Ledger } from "./ledger.ts";
import { nameOf, type Observed } from "./observed.ts";

/** Checks the index that each read is answered with. */
export class ReadsNotBehind implements Invariant {
  readonly name = "reads-not-behind";
  readonly #report: Report;
  readonly #ledger: Ledger;
  readonly #isHeld: (node: Observed) => boolean;
  /** What was committed when a process asked, by its name and the read's context. */
  readonly #asked = new Map<string, LogIndex>();

  constructor(report: Report, ledger: Ledger, isHeld: (node: Observed) => boolean) {
    this.#report = report;
    this.#ledger = ledger;
    this.#isHeld = isHeld;
  }

  readAsked(node: Observed, context: Uint8Array): void {
    this.#asked.set(`${nameOf(node)} ${context.join()}`, this.#ledger.lastCommitted);
  }

  readConfirmed(node: Observed, { index, context }: ReadState): void {
    const committed = this.#asked.get(`${nameOf(node)} ${context.join()}`) ?? 0;
    if (index >= committed || !this.#isHeld(node)) return;
    this.#report(this.name, `${nameOf(node)} may read at ${index}; ${committed} was committed when it asked`);
  }
}
