/**
 * Log Matching (Raft paper §5.3): two entries with the same index and term are the same, and so is everything before them.
 *
 * Each entry is compared with the first of its index and term that was seen anywhere, and so is the term of the entry before
 * it; the rest follows by induction. What a disk gives back after a crash is compared in full.
 */
import type { Term } from "@raftoral/raft-core";
import type { Entry } from "@raftoral/raft-core/core";
import type { Invariant, Report } from "./invariant.ts";
import { fingerprintOf, keyOf, type Ledger } from "./ledger.ts";
import { nameOf, type Observed } from "./observed.ts";

/** Checks entries with the same index and term. */
export class LogMatching implements Invariant {
  readonly name = "log-matching";
  readonly #report: Report;
  readonly #ledger: Ledger;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  started(node: Observed): void {
    const { log } = node.raft;
    const first = log.firstIndex();
    const stored = log.entriesFrom(first, Number.POSITIVE_INFINITY);
    if (stored === "compacted") this.#report(this.name, `${nameOf(node)} cannot read its log from ${first}`);
    else this.#compare(node, stored);
  }

  appended(node: Observed, entries: readonly Entry[]): void {
    this.#compare(node, entries);
  }

  #compare(node: Observed, entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    let previousTerm: Term = node.raft.log.termOrZero(first.index - 1);
    for (const entry of entries) {
      const key = keyOf(entry.index, entry.term);
      const known = this.#ledger.entries.get(key);
      if (known === undefined) {
        this.#ledger.entries.set(key, { entry, fingerprint: fingerprintOf(entry), previousTerm });
      } else if (known.previousTerm !== previousTerm) {
        const { index, term } = entry;
        const elsewhere = `elsewhere ${known.previousTerm}`;
        this.#report(this.name, `${nameOf(node)}: before ${index}/${term} is term ${previousTerm}, ${elsewhere}`);
      } else if (known.entry !== entry && known.fingerprint !== fingerprintOf(entry)) {
        const { index, term } = entry;
        this.#report(this.name, `${nameOf(node)}: entry ${index}/${term} differs from the one seen elsewhere`);
      }
      previousTerm = entry.term;
    }
  }
}
