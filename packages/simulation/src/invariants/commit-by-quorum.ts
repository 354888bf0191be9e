/**
 * A leader commits only what a majority of its configuration has on disk, of both halves while the configuration is joint
 * (Raft paper §5.3; thesis §4.3), counting an entry of its own term (§5.4.2). Counted from the disks themselves.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { Disk } from "../disk/disk.ts";
import type { ObservedNode } from "../node/observed-node.ts";
import type { Invariant, Report } from "./invariant.ts";

export class CommitByQuorum implements Invariant {
  readonly name = "commit-by-quorum";
  readonly #report: Report;
  readonly #diskOf: (nodeId: NodeId) => Disk | undefined;

  constructor(report: Report, diskOf: (nodeId: NodeId) => Disk | undefined) {
    this.#report = report;
    this.#diskOf = diskOf;
  }

  afterEvent(node: ObservedNode): void {
    const { raft, before } = node;
    const index = raft.log.committed;
    // What it commits before it leads was told by another leader.
    if (raft.role !== "StateLeader" || index <= before.committed || before.role !== "StateLeader") return;
    const term = raft.log.termOrZero(index);
    if (term !== raft.term) {
      this.#report(this.name, `n${node.id} leads term ${raft.term} and commits ${index} of term ${term} by counting`);
    }
    const { voters, votersOutgoing } = raft.tracker.confState();
    for (const half of [voters, votersOutgoing]) {
      const holders = half.filter((id) => this.#diskOf(id)?.platter.covers(index, term) === true);
      if (half.length > 0 && holders.length * 2 <= half.length) {
        this.#report(this.name, `n${node.id} commits ${index}/${term}, held by [${holders}] of voters [${half}]`);
      }
    }
  }
}
