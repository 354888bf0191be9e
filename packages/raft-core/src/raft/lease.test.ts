import { describe, expect, test } from "vitest";
import type { Message } from "../message.ts";
import { message } from "../message.ts";
import { seededRng } from "../ports/rng.ts";
import { bytes, LockstepNetwork, text } from "../testing/internal/groups/lockstep-network.ts";
import { SlowDiskNode, votersOnly } from "../testing/internal/groups/slow-disk-node.ts";
import type { LogIndex, NodeId } from "../types.ts";

const THREE: readonly NodeId[] = [1, 2, 3];
const ELECTION_TICKS = 10;
const BY_LEASE = { checkQuorum: true, readOnly: "lease-based", electionTicks: ELECTION_TICKS } as const;

/** Node 1 leads and has just got its lease. */
function led(): LockstepNetwork {
  const network = new LockstepNetwork({ voters: THREE, config: BY_LEASE });
  network.elect(1);
  network.raw(1).readIndex(bytes("first"));
  network.stabilize();
  return network;
}

/** Asks node 1 for a read while it is cut off. Returns whether it answers. */
function answersAlone(network: LockstepNetwork): boolean {
  network.isolate(1);
  const { readStates } = network.node(1);
  const before = readStates.length;
  network.raw(1).readIndex(bytes("alone"));
  network.stabilize();
  network.heal();
  return readStates.length > before;
}

/** Ticks every node and stabilizes. */
function tickAll(network: LockstepNetwork, count: number): void {
  for (let at = 0; at < count; at++) {
    for (const id of network.nodes.keys()) network.raw(id).tick();
    network.stabilize();
  }
}

describe("reads by lease (thesis §6.4.1; Q4)", () => {
  test("the first takes a round, the next ones none, until the lease is over", () => {
    const network = new LockstepNetwork({ voters: THREE, config: BY_LEASE });
    network.elect(1);
    expect(answersAlone(network)).toBe(false);
    network.raw(1).readIndex(bytes("r"));
    network.stabilize();
    expect(network.node(1).readStates.map(({ context }) => text(context))).toContain("r");
    for (let tick = 0; tick < ELECTION_TICKS - 2; tick++) {
      expect(answersAlone(network), `tick ${tick}`).toBe(true);
      network.isolate(1);
      network.tick(1, 1);
      network.heal();
    }
    expect(answersAlone(network)).toBe(false);
  });

  test("a round that is answered renews the lease", () => {
    const network = led();
    for (let round = 0; round < 5; round++) {
      tickAll(network, ELECTION_TICKS - 1);
      network.raw(1).readIndex(bytes("renewed"));
      network.stabilize();
      expect(answersAlone(network)).toBe(true);
    }
  });

  test("the lease counts from when the round was sent, not from when it was answered", () => {
    const network = new LockstepNetwork({ voters: THREE, config: BY_LEASE });
    network.elect(1);
    const held: Message[] = [];
    network.raw(1).readIndex(bytes("r"));
    network.deliverOnly((m) => {
      if (m.type === "MsgHeartbeatResp") held.push(m);
      return m.type !== "MsgHeartbeatResp";
    });
    network.stabilize();
    network.heal();
    network.tick(1, ELECTION_TICKS - 2);
    for (const m of held) network.raw(1).step(m);
    expect(network.node(1).carryOut()).not.toContainEqual(expect.objectContaining({ type: "MsgReadIndexResp" }));
    expect(network.node(1).readStates).toHaveLength(1);
    expect(answersAlone(network)).toBe(false);
  });

  test("there is none any more once a member was asked to take over, though it may never have heard of it", () => {
    const network = led();
    network.deliverOnly(({ type }) => type !== "MsgTimeoutNow");
    network.raw(1).transferLeader(2);
    network.stabilize();
    network.heal();
    expect(network.sent.some(({ type }) => type === "MsgTimeoutNow")).toBe(true);
    expect(answersAlone(network)).toBe(false);
    tickAll(network, ELECTION_TICKS);
    network.raw(1).readIndex(bytes("r"));
    network.stabilize();
    expect(network.raw(1).basicStatus().softState.role).toBe("StateLeader");
    expect(answersAlone(network)).toBe(false);
  });

  test("it ends when the voters change", () => {
    const network = led();
    network.raw(1).proposeConfChange({ id: 0, type: "RemoveNode", nodeId: 3, context: bytes("") });
    network.stabilize();
    expect(answersAlone(network)).toBe(false);
  });

  test("a node that restarts keeps its promise not to vote, and does not stand either", () => {
    const network = led();
    network.isolate(1);
    for (const id of [2, 3]) network.node(id).restart();
    for (let tick = 0; tick < ELECTION_TICKS; tick++) {
      const term = 9 + tick;
      for (const id of [2, 3]) {
        network.raw(id).campaign();
        network.raw(id).step(message({ type: "MsgVote", from: 5 - id, to: id, term, index: 9, logTerm: 9 }));
        expect(network.raw(id).basicStatus().hardState, `tick ${tick}`).toMatchObject({ term: 1, vote: 1 });
      }
      network.tick(2, 1);
      network.tick(3, 1);
    }
    network.elect(2);
    expect(network.raw(2).basicStatus().softState.role).toBe("StateLeader");
  });

  test("a node that was told to campaign does not forget what it has promised", () => {
    const network = led();
    network.isolate(1);
    network.raw(2).campaign();
    network.raw(3).step(message({ type: "MsgVote", from: 2, to: 3, term: 9, index: 9, logTerm: 9 }));
    network.stabilize();
    for (const id of [2, 3]) expect(network.raw(id).basicStatus().hardState.term).toBe(1);
  });

  test("a group that begins, or a single voter, does not wait", () => {
    const begins = new LockstepNetwork({ voters: THREE, config: BY_LEASE });
    begins.elect(2);
    expect(begins.raw(2).basicStatus().softState.role).toBe("StateLeader");
    const alone = new LockstepNetwork({ voters: [1], config: BY_LEASE });
    alone.elect(1);
    alone.node(1).restart();
    alone.elect(1);
    expect(alone.raw(1).basicStatus().softState.role).toBe("StateLeader");
  });
});

describe("reads by lease, over random schedules", () => {
  test.each([
    [1, 100],
    [101, 200],
  ])(
    "see all that was applied anywhere before they were asked, while nodes tick at the same pace: seeds %i to %i",
    {
      timeout: 60_000,
    },
    (first, last) => {
      let answered = 0;
      for (let seed = first; seed <= last; seed++) {
        const schedule = new LeaseSchedule(seed);
        schedule.run(250);
        expect(schedule.findings, `seed ${seed}`).toEqual([]);
        answered += schedule.answered;
      }
      expect(answered).toBeGreaterThan(2_500);
    },
  );
});

/** Nodes that tick in rounds, each once in a random order; links that are cut for a while; restarts and hand-overs. */
class LeaseSchedule {
  readonly findings: string[] = [];
  answered = 0;
  readonly #rng: ReturnType<typeof seededRng>;
  readonly #nodes: readonly SlowDiskNode[];
  #network: Message[] = [];
  #cut: ReadonlySet<NodeId> = new Set();
  /** The highest index applied on any node. */
  #applied: LogIndex = 0;
  /** By context: the highest index applied when the read was asked for. */
  readonly #asked = new Map<string, LogIndex>();

  constructor(seed: number) {
    this.#rng = seededRng(seed);
    const voters = Array.from({ length: 3 + 2 * this.#rng.below(2) }, (_, at) => at + 1);
    const preVote = this.#rng.below(2) === 0;
    const config = { ...BY_LEASE, electionTicks: 4 + this.#rng.below(4), preVote };
    this.#nodes = voters.map((id) => new SlowDiskNode(id, { confState: votersOnly(voters) }, config));
  }

  run(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      if (this.#rng.below(12) === 0) this.#cutSome();
      for (const node of this.#shuffled()) {
        node.raw.tick();
        for (let at = 0; at < 3; at++) this.#act(node, round);
        this.#exchange();
      }
    }
  }

  #act(node: SlowDiskNode, round: number): void {
    const what = this.#rng.below(100);
    if (what < 40) this.#ask(node, `${node.id}:${round}:${this.#asked.size}`);
    else if (what < 60) node.raw.propose(bytes("x"));
    else if (what < 62) node.crash();
    else if (what < 64) node.raw.transferLeader(1 + this.#rng.below(this.#nodes.length));
    else if (what < 66) node.raw.campaign();
  }

  #ask(node: SlowDiskNode, context: string): void {
    this.#asked.set(context, this.#applied);
    node.raw.readIndex(bytes(context));
  }

  /** Delivers messages under way, or delays them, or loses them on links that are cut. */
  #exchange(): void {
    for (let turns = 0; turns < 4; turns++) {
      for (const node of this.#nodes) this.#carryOut(node);
      const due = this.#network.splice(0);
      for (const m of due) {
        if (this.#cut.has(m.from) !== this.#cut.has(m.to)) continue;
        if (this.#rng.below(20) === 0) this.#network.push(m);
        else this.#nodes[m.to - 1]?.raw.step(m);
      }
    }
  }

  #carryOut(node: SlowDiskNode): void {
    for (let busy = true; busy; ) {
      const leaving = [...node.takeReady(), ...node.write()];
      this.#network.push(...leaving);
      busy = leaving.length > 0 || node.pendingWrites > 0 || node.apply();
    }
    this.#applied = Math.max(this.#applied, node.applied.at(-1)?.index ?? 0);
    for (const { index, context } of node.readStates.splice(0)) {
      this.answered += 1;
      const expected = this.#asked.get(text(context)) ?? 0;
      if (index < expected) this.findings.push(`read ${text(context)} sees ${index} of ${expected}`);
    }
  }

  #cutSome(): void {
    const some = this.#nodes.filter(() => this.#rng.below(3) === 0).map(({ id }) => id);
    this.#cut = new Set(this.#rng.below(3) === 0 ? [] : some);
  }

  #shuffled(): readonly SlowDiskNode[] {
    return this.#nodes
      .map((node) => ({ node, rank: this.#rng.below(1_000_000) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ node }) => node);
  }
}
