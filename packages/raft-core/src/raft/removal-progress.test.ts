// @module-tag slow

import { describe, expect, test } from "vitest";
import { seededRng } from "../ports/rng.ts";
import { bytes, commands } from "../testing/internal/groups/lockstep-network.ts";
import { SlowDiskGroup, type Weights } from "../testing/internal/groups/slow-disk-group.ts";
import type { SlowDiskNode } from "../testing/internal/groups/slow-disk-node.ts";
import type { LogIndex, NodeId } from "../types.ts";
import { isLeaving } from "./removal.ts";

// A small model of operations: members are promoted, demoted and removed, one by one and jointly, also the leader,
// while messages get lost and nodes crash. Removed members stop for good. The others must always be able to go on.

const CHANGING: Weights = {
  ready: 300,
  write: 200,
  apply: 100,
  deliver: 600,
  tick: 60,
  campaign: 3,
  propose: 40,
  transfer: 5,
  crash: 10,
  change: 25,
};

/** The index at which `node` applied the removal of `id`, and the voters after it. */
interface Removal {
  readonly index: LogIndex;
  readonly voters: readonly (readonly NodeId[])[];
}

class Removals {
  readonly #group: SlowDiskGroup;
  readonly #leaving = new Map<NodeId, { incarnation: number; term: number; lossOfVotesAt: LogIndex }>();
  readonly #removals = new Map<NodeId, Removal>();

  constructor(group: SlowDiskGroup) {
    this.#group = group;
  }

  /** Records the members removed by the entries that a node has just applied. */
  look(): void {
    for (const { raw, applied } of this.#group.alive) {
      const { config, ids } = raw.raft.tracker;
      const index = applied.findLast(({ type }) => type !== "EntryNormal")?.index;
      if (index === undefined || ids.length === 0) continue;
      for (const other of this.#group.nodes) {
        if (ids.includes(other.id) || this.#removals.has(other.id)) continue;
        this.#removals.set(other.id, { index, voters: [config.voters.incoming.ids, config.voters.outgoing.ids] });
      }
    }
  }

  /** Whether the vote of `id` is not needed: a majority of the remaining voters has the removal on its disks. */
  isReleased(id: NodeId): boolean {
    const removal = this.#removals.get(id);
    if (removal === undefined) return false;
    const knows = (voter: NodeId) => this.#commitOf(voter) >= removal.index;
    return removal.voters.every((half) => half.length === 0 || half.filter(knows).length > half.length / 2);
  }

  /** Stops every removed member that does not lead and is not needed, also one that does not know of its removal. */
  stopReleased(): void {
    for (const { id, raw } of this.#group.alive) {
      if (raw.raft.role !== "StateLeader" && this.isReleased(id)) this.#group.gone.add(id);
    }
  }

  /** A removed leader that has stepped down because its work was done is not needed any more (RV2). */
  checkLeaders(): void {
    for (const { id, raw, incarnation } of this.#group.alive) {
      const { role, term, log, lossOfVotesAt } = raw.raft;
      const isStillLeading = role === "StateLeader" && isLeaving(raw.raft);
      if (isStillLeading) this.#leaving.set(id, { incarnation, term, lossOfVotesAt });
      const left = this.#leaving.get(id);
      if (left === undefined || isStillLeading) continue;
      this.#leaving.delete(id);
      const hasStayed = left.incarnation === incarnation && left.term === term && log.committed >= left.lossOfVotesAt;
      if (hasStayed && this.#removals.has(id) && !this.isReleased(id)) {
        this.#group.findings.push(`leader ${id} stepped down while the others still needed it`);
      }
    }
  }

  get removed(): readonly NodeId[] {
    return [...this.#removals.keys()];
  }

  #commitOf(id: NodeId): LogIndex {
    const node = this.#group.nodes.find((one) => one.id === id);
    return node?.storage.initialState().hardState.commit ?? 0;
  }
}

function groupOf(seed: number): SlowDiskGroup {
  const rng = seededRng(seed);
  const flag = () => rng.below(2) === 0;
  const voters = Array.from({ length: 2 + rng.below(4) }, (_, at) => at + 1);
  const learners = Array.from({ length: rng.below(3) }, (_, at) => voters.length + 1 + at);
  const confState = { voters, learners, votersOutgoing: [], learnersNext: [], autoLeave: false };
  const config = {
    electionTicks: 5,
    preVote: flag(),
    checkQuorum: flag(),
    stepDownOnRemoval: true,
    maxMessageBytes: flag() ? 0 : 100,
    asyncStorageWrites: rng.below(3) > 0,
  };
  return new SlowDiskGroup(seed, confState, config);
}

/** Phases with faults, with quiet phases between; then a crash of all remaining members, and no faults after that. */
function live(seed: number, rounds: number): { readonly group: SlowDiskGroup; readonly removals: Removals } {
  const group = groupOf(seed);
  const removals = new Removals(group);
  for (let round = 0; round < rounds; round++) {
    if (group.leader === undefined || group.rng.below(3) === 0) group.heal(group.rng.below(15));
    for (let step = 0; step < 120; step++) {
      group.step(CHANGING);
      removals.look();
      removals.checkLeaders();
      removals.stopReleased();
    }
    if (group.rng.below(3) === 0) group.loseMessages();
  }
  group.loseMessages();
  for (const node of group.alive) node.crash();
  group.heal(120);
  return { group, removals };
}

function voterNodes(group: SlowDiskGroup): readonly SlowDiskNode[] {
  const ids = group.leader?.raw.raft.tracker.voterNodes() ?? [];
  return group.nodes.filter(({ id }) => ids.includes(id));
}

describe("members come and go, the leader among them, while messages get lost and nodes crash", () => {
  test("the others go on, whichever members have stopped for good", { timeout: 60_000 }, () => {
    let stopped = 0;
    for (let seed = 1; seed <= 250; seed++) {
      const { group, removals } = live(seed, 12);
      const name = `seed ${seed}`;
      expect(group.leader, `${name}: a leader`).toBeDefined();
      expect(group.leader?.raw.propose(bytes("healed")).ok, `${name}: takes proposals`).toBe(true);
      group.heal(20);
      expect(group.findings, name).toEqual([]);
      for (const { applied } of voterNodes(group)) expect(commands(applied).at(-1), name).toBe("healed");
      // Without another proposal, no removed member is needed any more.
      for (const id of removals.removed) expect(removals.isReleased(id), `${name}: ${id} is released`).toBe(true);
      stopped += group.gone.size;
    }
    expect(stopped).toBeGreaterThan(100);
  });
});
