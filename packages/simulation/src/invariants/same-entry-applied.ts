/**
 * State Machine Safety (Raft paper §5.4.3): the same entry, of whatever type, is applied at an index by every process of every node,
 * for the whole run. What a node applied and lost with a crash counts: its clients were told of it.
 */
import type { LogIndex } from "@raftoral/raft-core";
import type { Entry } from "@raftoral/raft-core/core";
import type { Invariant, Report } from "./invariant.ts";
import { fingerprintOf, type Who } from "./ledger.ts";
import { nameOf, type Observed } from "./observed.ts";

interface Applied {
  readonly entry: Entry;
  readonly fingerprint: number;
  readonly by: Who;
}

/** Checks that all processes apply the same entry at an index. */
export class SameEntryApplied implements Invariant {
  readonly name = "same-entry-applied";
  readonly #report: Report;
  readonly #byIndex = new Map<LogIndex, Applied>();

  constructor(report: Report) {
    this.#report = report;
  }

  applied(node: Observed, entry: Entry): void {
    const known = this.#byIndex.get(entry.index);
    if (known === undefined) {
      const by = { id: node.id, incarnation: node.incarnation };
      this.#byIndex.set(entry.index, { entry, fingerprint: fingerprintOf(entry), by });
      return;
    }
    if (known.entry === entry) return;
    if (known.entry.term !== entry.term || known.fingerprint !== fingerprintOf(entry)) {
      const [here, there] = [`${entry.index}/${entry.term}`, `${entry.index}/${known.entry.term}`];
      this.#report(this.name, `${nameOf(node)} applies ${here}; ${nameOf(known.by)} applied another ${there}`);
    }
  }
}
