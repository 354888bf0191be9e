/**
 * Who tells others that an entry is committed tells the truth: a leader with its appends, heartbeats and snapshots, anybody with a
 * request for votes or an answer to one. A snapshot is of committed entries, with the configuration in force there.
 */
import type { SnapshotMetadata } from "@raftoral/raft-core";
import type { Message } from "@raftoral/raft-core/core";
import { show } from "./configurations-overlap.ts";
import type { Invariant, Report } from "./invariant.ts";
import type { Ledger } from "./ledger.ts";
import { nameOf, type Observed } from "./observed.ts";

/** Checks what messages claim to be committed. */
export class ClaimsCommitted implements Invariant {
  readonly name = "claims-committed";
  readonly #report: Report;
  readonly #ledger: Ledger;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  sent(node: Observed, { type, commit, commitTerm, snapshot }: Message): void {
    if (snapshot !== undefined) this.#checkSnapshot(node, snapshot.metadata);
    if (commit === 0) return;
    const { lastCommitted, committed } = this.#ledger;
    if (commit > lastCommitted) {
      this.#report(this.name, `${nameOf(node)} tells with ${type} that ${commit} is committed; it is ${lastCommitted}`);
      return;
    }
    const known = committed[commit];
    if (commitTerm !== 0 && known !== undefined && known.term !== commitTerm) {
      const told = `${commit}/${commitTerm} is committed; it is ${known.term}`;
      this.#report(this.name, `${nameOf(node)} tells with ${type} that ${told}`);
    }
  }

  #checkSnapshot(node: Observed, { index, term, confState }: SnapshotMetadata): void {
    const { committed, lastCommitted } = this.#ledger;
    const known = committed[index];
    if (index > lastCommitted || (known !== undefined && known.term !== term)) {
      this.#report(
        this.name,
        `${nameOf(node)} sends a snapshot at ${index}/${term}; committed is up to ${lastCommitted}`,
      );
    }
    const inForce = this.#ledger.configurationAt(index);
    if (inForce !== undefined && sorted(inForce.voters) !== sorted(confState.voters)) {
      const elsewhere = `in force is ${show(inForce)}`;
      this.#report(this.name, `${nameOf(node)} sends a snapshot at ${index} with ${show(confState)}; ${elsewhere}`);
    }
  }
}

function sorted(ids: readonly number[]): string {
  return ids.toSorted((a, b) => a - b).join();
}
