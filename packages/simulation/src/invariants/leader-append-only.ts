/** Leader Append-Only (Raft paper §5.3): a leader never replaces or deletes entries of its log. */
import type { Entry } from "@raftoral/raft-core/core";
import type { Invariant, Report } from "./invariant.ts";
import type { Observed } from "./observed.ts";

/** Checks that leaders only append. */
export class LeaderAppendOnly implements Invariant {
  readonly name = "leader-append-only";
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  appended({ id, raft }: Observed, entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined || raft.role !== "StateLeader") return;
    const last = raft.log.lastIndex();
    if (first.index <= last)
      this.#report(this.name, `n${id} leads term ${raft.term} and replaces ${first.index}..${last}`);
  }

  restored({ id, raft }: Observed): void {
    if (raft.role === "StateLeader") this.#report(this.name, `n${id} leads term ${raft.term} and restores a snapshot`);
  }
}
