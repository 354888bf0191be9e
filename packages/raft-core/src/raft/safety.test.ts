import { describe, expect, test } from "vitest";
import { checkInvariants } from "../confchange/changer.ts";
import type { Message } from "../message.ts";
import { seededRng } from "../ports/rng.ts";
import { bytes, LockstepNetwork, type LockstepNode } from "../testing/internal/groups/lockstep-network.ts";
import type { Entry, HardState, NodeId } from "../types.ts";

// The invariants named here are those of raft.ts (R), raft-log.ts (L), progress.ts (P), tracker/config.ts (C) and
// progress-tracker.ts (T); the last two are what checkInvariants looks at.

/** Random schedules over a network that loses, repeats and reorders messages, and nodes that restart. */
class Schedule {
  readonly network: LockstepNetwork;
  readonly #rng: ReturnType<typeof seededRng>;
  readonly #pool: Message[] = [];
  readonly #leaders = new Map<number, NodeId>();
  readonly #applied: string[] = [];
  /** The node that is cut off at the moment; 0 for none. */
  #isolated: NodeId = 0;
  readonly #checked = new Map<NodeId, number>();
  readonly #watches: ReadonlyMap<NodeId, Watch>;
  readonly #nodes: readonly LockstepNode[];

  constructor(seed: number) {
    this.#rng = seededRng(seed);
    const voters = Array.from({ length: 1 + this.#rng.below(5) }, (_, at) => at + 1);
    const flag = () => this.#rng.below(2) === 0;
    this.network = new LockstepNetwork({
      voters,
      config: {
        electionTicks: 5,
        preVote: flag(),
        checkQuorum: flag(),
        asyncStorageWrites: flag(),
        maxMessageBytes: flag() ? 0 : 100,
        maxInflightMessages: 1 + this.#rng.below(4),
        maxCommittedBytesPerReady: flag() ? 1 : 100,
      },
    });
    this.#nodes = [...this.network.nodes.values()];
    this.#watches = new Map(this.#nodes.map((node) => [node.id, new Watch(node)]));
  }

  /** The number of entries applied anywhere. */
  get progress(): number {
    return this.#applied.length;
  }

  run(steps: number): void {
    for (let at = 0; at < steps; at++) {
      const node = this.#nodes[this.#rng.below(this.#nodes.length)] as LockstepNode;
      const what = this.#rng.below(100);
      if (what < 30) this.#carryOut(node);
      else if (what < 75) this.#deliverOne();
      else if (what < 88) node.raw.tick();
      else if (what < 89) node.raw.campaign();
      else if (what < 90) this.#isolated = this.#rng.below(this.#nodes.length + 1);
      else if (what < 98) node.raw.propose(bytes(`${node.id}:${at}`));
      else if (what < 99) node.raw.transferLeader(1 + this.#rng.below(this.#nodes.length));
      else this.#restart(node);
    }
  }

  /** From here on all messages arrive. */
  heal(): void {
    for (let round = 0; round < 200; round++) {
      for (const node of this.#nodes) {
        node.raw.tick();
        this.#carryOut(node);
      }
      for (const m of this.#pool.splice(0)) this.network.raw(m.to).step(m);
    }
  }

  #restart(node: LockstepNode): void {
    node.restart();
    this.#checked.set(node.id, 0);
    this.#watches.get(node.id)?.restarted();
  }

  #carryOut(node: LockstepNode): void {
    // The answers of the storage threads to their own node are neither lost nor reordered.
    for (let out = node.carryOut(); out.length > 0; out = node.carryOut()) {
      for (const m of out) {
        if (m.to === node.id) node.raw.step(m);
        else this.#pool.push(m);
      }
    }
    this.#check(node);
  }

  #deliverOne(): void {
    const at = this.#rng.below(this.#pool.length + 1);
    const m = this.#pool[at];
    if (m === undefined) return;
    if (m.from === this.#isolated || m.to === this.#isolated) {
      this.#pool.splice(at, 1);
      return;
    }
    const fate = this.#rng.below(10);
    if (fate > 0) this.#pool.splice(at, 1);
    if (fate !== 1) this.network.raw(m.to).step(m);
  }

  #check(node: LockstepNode): void {
    this.#watches.get(node.id)?.look();
    const { softState, hardState } = node.raw.basicStatus();
    if (softState.role === "StateLeader") {
      const other = this.#leaders.get(hardState.term) ?? node.id;
      expect(other, `leaders of term ${hardState.term} (Election Safety, §5.2)`).toBe(node.id);
      this.#leaders.set(hardState.term, node.id);
    }
    // Only what is new: a restarted node applies from the beginning again.
    const from = Math.min(this.#checked.get(node.id) ?? 0, node.applied.length);
    for (let at = from; at < node.applied.length; at++) {
      const entry = node.applied[at] as Entry;
      expect(entry.index, `node ${node.id} applies in order`).toBe(at + 1);
      this.#applied[at] ??= identityOf(entry);
      expect(identityOf(entry), `entry ${entry.index} (State Machine Safety, §5.4.3)`).toBe(this.#applied[at]);
    }
    this.#checked.set(node.id, node.applied.length);
  }
}

/** The rules for one node at any moment, and from one moment to the next. */
class Watch {
  readonly #node: LockstepNode;
  #hardState: HardState = { term: 0, vote: 0, commit: 0 };
  /** Of the log: [applied, applying, committed]. */
  #positions: readonly number[] = [0, 0, 0];
  /** While the node leads: its term, its log as terms, and the `match` of each member. */
  #leading: { readonly term: number; readonly log: string; readonly match: Map<NodeId, number> } | undefined;

  constructor(node: LockstepNode) {
    this.#node = node;
  }

  restarted(): void {
    this.#positions = [0, 0, 0];
    this.#leading = undefined;
  }

  look(): void {
    const { raft } = this.#node.raw;
    const { term, vote, log, tracker } = raft;
    const before = this.#hardState;
    expect(term, "R1: a term never falls").toBeGreaterThanOrEqual(before.term);
    if (term === before.term && before.vote !== 0) expect(vote, "R1: one vote a term").toBe(before.vote);
    this.#hardState = { term, vote, commit: log.committed };
    expect(raft.lead === raft.id, "R6").toBe(raft.role === "StateLeader");
    const positions = [log.applied, log.applying, log.committed];
    expect([...positions, log.lastIndex()], "L1: in this order").toEqual(
      [...positions, log.lastIndex()].sort((a, b) => a - b),
    );
    for (const [at, position] of positions.entries()) {
      expect(position, "L1: only grows").toBeGreaterThanOrEqual(this.#positions[at] ?? 0);
    }
    this.#positions = positions;
    checkInvariants(tracker.config, tracker.progress);
    this.#lookAtLeader();
  }

  #lookAtLeader(): void {
    const { raft } = this.#node.raw;
    if (raft.role !== "StateLeader") {
      this.#leading = undefined;
      return;
    }
    const before = this.#leading?.term === raft.term ? this.#leading : undefined;
    const terms = Array.from({ length: raft.log.lastIndex() }, (_, at) => raft.log.term(at + 1));
    const log = `${terms.join(",")},`;
    if (before !== undefined) expect(log.startsWith(before.log), "R3: a leader only appends").toBe(true);
    const match = new Map<NodeId, number>();
    for (const [id, progress] of raft.tracker.progress) {
      const { state, next, inflights, pendingSnapshot } = progress;
      expect(progress.match, "P1").toBeLessThan(next);
      expect(progress.match, "P2: never decreases").toBeGreaterThanOrEqual(before?.match.get(id) ?? 0);
      if (state !== "StateReplicate") expect(inflights.count, "P3").toBe(0);
      if (state === "StateSnapshot") expect(next, "P4").toBe(pendingSnapshot + 1);
      match.set(id, progress.match);
    }
    this.#leading = { term: raft.term, log, match };
  }
}

function identityOf({ term, data }: Entry): string {
  return `${term}:${data}`;
}

function logOf({ storage }: LockstepNode): readonly Entry[] {
  return storage.entries(1, storage.lastIndex() + 1, Number.POSITIVE_INFINITY) as readonly Entry[];
}

describe("the safety properties of the Raft paper (figure 3), over random schedules", () => {
  for (let seed = 1; seed <= 40; seed++) {
    test(`hold, and progress resumes when the network heals: seed ${seed}`, () => {
      const schedule = new Schedule(seed);
      schedule.run(1_500);
      const nodes = [...schedule.network.nodes.values()];
      for (const one of nodes) {
        for (const other of nodes) {
          const [a, b] = [logOf(one), logOf(other)];
          const meet = a.findLastIndex((entry, at) => b[at]?.term === entry.term);
          // Log Matching (§5.3): the same term at one index means the same entries up to it.
          expect(a.slice(0, meet + 1).map(identityOf)).toEqual(b.slice(0, meet + 1).map(identityOf));
        }
      }
      const before = schedule.progress;
      schedule.heal();
      const leader = nodes.find(({ raw }) => raw.basicStatus().softState.role === "StateLeader");
      expect(leader?.raw.propose(bytes("healed")).ok).toBe(true);
      schedule.heal();
      expect(schedule.progress).toBeGreaterThan(before);
      for (const node of nodes) expect(node.applied.length).toBe(schedule.progress);
    });
  }
});
