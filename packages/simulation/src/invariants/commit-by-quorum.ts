/**
 * A leader commits only what a majority of its configuration has on disk, of both halves while the configuration is joint
 * (Raft paper §5.3; thesis §4.3), counting an entry of its own term (§5.4.2). Counted from the disks themselves, at the moment
 * at which the leader counts: it may have another configuration, or another role, by the end of the event.
 */
import type { LogIndex, NodeId } from "@raftoral/raft-core";
import type { LogImage } from "../disk/log-image.ts";
import type { Invariant, Report } from "./invariant.ts";
import type { Observed } from "./observed.ts";

/** Checks that what a leader commits is on the disks of a quorum. */
export class CommitByQuorum implements Invariant {
  readonly name = "commit-by-quorum";
  readonly #report: Report;
  readonly #platterOf: (nodeId: NodeId) => LogImage | undefined;

  constructor(report: Report, platterOf: (nodeId: NodeId) => LogImage | undefined) {
    this.#report = report;
    this.#platterOf = platterOf;
  }

  counted({ id, raft }: Observed, index: LogIndex): void {
    const term = raft.log.termOrZero(index);
    if (term !== raft.term) {
      this.#report(this.name, `n${id} leads term ${raft.term} and commits ${index} of term ${term} by counting`);
    }
    const { incoming, outgoing } = raft.tracker.config.voters;
    for (const { ids } of [incoming, outgoing]) {
      const holders = ids.filter((member) => this.#platterOf(member)?.covers(index, term) === true);
      if (ids.length > 0 && holders.length * 2 <= ids.length) {
        this.#report(this.name, `n${id} commits ${index}/${term}, held by [${holders}] of voters [${ids}]`);
      }
    }
  }
}
