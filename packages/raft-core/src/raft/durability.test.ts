import { describe, expect, test } from "vitest";
import { type Message, type MessageType, message } from "../message.ts";
import { seededRng } from "../rng.ts";
import { bytes, commands } from "../testing/lockstep-network.ts";
import { SlowDiskNode, votersOnly } from "../testing/slow-disk-node.ts";
import type { NodeId } from "../types.ts";

// Nothing may leave a node before what it claims is durable (raft.ts R2). The claims are the table in DESIGN.md; here they are
// compared with what the sender's storage holds at the moment in which the message leaves.

/** These tell what their sender has heard of, and nothing that an election or a commit relies on. */
const CLAIMS_NOTHING: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgPreVote",
  "MsgPreVoteResp",
  "MsgHeartbeatResp",
  "MsgTransferLeader",
]);

/** What a message claims of its sender's disk and does not find there; undefined if there is nothing of the kind. */
function unfounded(m: Message, sender: SlowDiskNode): string | undefined {
  const { storage } = sender;
  const { term, vote } = storage.initialState().hardState;
  const holds = (index: number) => index <= storage.lastIndex();
  if (CLAIMS_NOTHING.has(m.type) || m.term === 0) return undefined;
  if (term < m.term) return "the term is not durable";
  // The sender was in this term, and has gone on to a later one: what it claimed was true in between.
  if (term > m.term) return undefined;
  switch (m.type) {
    case "MsgVote":
      if (vote !== sender.id) return "the candidate's own vote is not durable";
      return storage.term(m.index) === m.logTerm ? undefined : "the log is not durable";
    case "MsgVoteResp":
      return m.reject || vote === m.to ? undefined : "the vote is not durable";
    case "MsgAppResp":
      return m.reject || holds(m.index) ? undefined : "the entries are not durable";
    case "MsgApp":
    case "MsgHeartbeat":
    case "MsgSnap":
    case "MsgTimeoutNow":
    case "MsgReadIndexResp":
      return vote === sender.id ? undefined : "the leader's own vote is not durable";
    default:
      return undefined;
  }
}

/** Nodes with slow disks, and a network that loses, repeats and reorders. Looks at every message and every applied entry. */
class SlowDisks {
  readonly nodes: readonly SlowDiskNode[];
  readonly findings: string[] = [];
  #network: Message[] = [];
  readonly #rng: ReturnType<typeof seededRng>;
  readonly #applied = new Map<number, string>();
  readonly #leaders = new Map<number, string>();
  sent = 0;

  constructor(seed: number) {
    this.#rng = seededRng(seed);
    const flag = () => this.#rng.below(2) === 0;
    const voters = Array.from({ length: 1 + this.#rng.below(5) }, (_, at) => at + 1);
    const config = { electionTicks: 5, preVote: flag(), checkQuorum: flag(), maxMessageBytes: flag() ? 0 : 100 };
    this.nodes = voters.map((id) => new SlowDiskNode(id, { confState: votersOnly(voters) }, config));
  }

  run(steps: number): void {
    for (let at = 0; at < steps; at++) {
      const node = this.nodes[this.#rng.below(this.nodes.length)] as SlowDiskNode;
      const what = this.#rng.below(100);
      if (what < 25) this.#leave(node, node.takeReady());
      else if (what < 40) this.#leave(node, node.write());
      else if (what < 45) node.apply();
      else if (what < 75) this.#deliverOne();
      else if (what < 88) node.raw.tick();
      else if (what < 90) node.raw.campaign();
      else if (what < 96) node.raw.propose(bytes(`${node.id}:${at}`));
      else if (what < 98) node.raw.transferLeader(1 + this.#rng.below(this.nodes.length));
      else node.crash();
      this.#look(node);
    }
  }

  /** Everything works from here on. */
  heal(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      for (const node of this.nodes) {
        node.raw.tick();
        this.#leave(node, node.takeReady());
        while (node.pendingWrites > 0) this.#leave(node, node.write());
        while (node.apply());
        this.#look(node);
      }
      for (const m of this.#network.splice(0)) this.#step(m);
    }
  }

  #leave(node: SlowDiskNode, messages: readonly Message[]): void {
    for (const m of messages) {
      this.sent += 1;
      const reason = unfounded(m, node);
      if (reason !== undefined) this.findings.push(`${m.type} ${m.from}->${m.to} term ${m.term}: ${reason}`);
      this.#network.push(m);
    }
  }

  #deliverOne(): void {
    const at = this.#rng.below(this.#network.length + 1);
    const m = this.#network[at];
    if (m === undefined) return;
    const fate = this.#rng.below(10);
    if (fate > 0) this.#network.splice(at, 1);
    if (fate !== 1) this.#step(m);
  }

  #step(m: Message): void {
    this.nodes[m.to - 1]?.raw.step(m);
  }

  #look(node: SlowDiskNode): void {
    const { softState, hardState } = node.raw.basicStatus();
    if (softState.role === "StateLeader") {
      const me = `${node.id}, started ${node.incarnation} times`;
      const leader = this.#leaders.get(hardState.term) ?? me;
      if (leader !== me) this.findings.push(`term ${hardState.term} is led by ${leader} and by ${me}`);
      this.#leaders.set(hardState.term, leader);
    }
    for (const { index, term, data } of node.applied) {
      const entry = `${term}:${data}`;
      const before = this.#applied.get(index) ?? entry;
      if (before !== entry) this.findings.push(`entry ${index} is ${before} and on node ${node.id} ${entry}`);
      this.#applied.set(index, before);
    }
  }
}

/** Three voters, as the fault was found: node 1's disk is slow. */
function three(): Record<1 | 2 | 3, SlowDiskNode> {
  const start = (id: NodeId) => new SlowDiskNode(id, { confState: votersOnly([1, 2, 3]) });
  return { 1: start(1), 2: start(2), 3: start(3) };
}

/** Does all that `node` has to do, its disk included. */
function finish(node: SlowDiskNode): Message[] {
  const out: Message[] = [];
  while (node.raw.hasReady() || node.pendingWrites > 0) {
    out.push(...node.takeReady(), ...node.write());
    while (node.apply());
  }
  return out;
}

/** Hands messages over between nodes with fast disks until nothing is left; drops those to others. */
function exchange(nodes: readonly SlowDiskNode[], messages: readonly Message[]): void {
  for (let left = [...messages]; left.length > 0; ) {
    for (const m of left.splice(0)) nodes.find(({ id }) => id === m.to)?.raw.step(m);
    left = nodes.flatMap(finish);
  }
}

describe("a candidate's request for votes", () => {
  test("leaves only when its term, its vote and its log are durable (R2)", () => {
    const node = three()[1];
    node.raw.campaign();
    expect(node.takeReady()).toEqual([]);
    expect(node.write()).toMatchObject([
      { type: "MsgVote", to: 2, term: 1 },
      { type: "MsgVote", to: 3, term: 1 },
    ]);
    expect(node.storage.initialState().hardState).toMatchObject({ term: 1, vote: 1 });
  });

  test("waits for earlier writes of the log that it names", () => {
    const node = three()[2];
    const append = {
      type: "MsgApp",
      from: 1,
      to: 2,
      term: 1,
      entries: [{ term: 1, index: 1, type: "EntryNormal", data: bytes("x") }],
    } as const;
    node.raw.step(message(append));
    node.takeReady();
    node.raw.step(message({ type: "MsgTimeoutNow", from: 1, to: 2, term: 1 }));
    expect(node.takeReady()).toEqual([]);
    expect(node.write().map(({ type }) => type)).toEqual(["MsgAppResp"]);
    expect(node.write()).toMatchObject([{ type: "MsgVote", index: 1, logTerm: 1, term: 2 }, { type: "MsgVote" }]);
  });

  test("does not wait for a pre-vote, which nobody relies on", () => {
    const node = new SlowDiskNode(1, { confState: votersOnly([1, 2, 3]) }, { preVote: true });
    node.raw.campaign();
    expect(node.takeReady().map(({ type }) => type)).toEqual(["MsgPreVote", "MsgPreVote"]);
  });

  test("that a crash loses was never sent: nobody leads one term twice, and no entry is applied in two versions", () => {
    const { 1: slow, 2: second, 3: third } = three();
    slow.raw.campaign();
    // Both others would grant at once, and the entry would reach node 2 alone.
    const requests = slow.takeReady();
    for (const m of requests) [second, third].find(({ id }) => id === m.to)?.raw.step(m);
    for (const m of [...finish(second), ...finish(third)]) slow.raw.step(m);
    slow.raw.propose(bytes("x"));
    for (const m of slow.takeReady()) if (m.to === 2) second.raw.step(m);
    finish(second);
    slow.crash();
    slow.raw.campaign();
    exchange([slow, third], finish(slow));
    slow.raw.propose(bytes("y"));
    exchange([slow, third], finish(slow));
    // Node 2 is back.
    for (let at = 0; at < 3; at++) slow.raw.tick();
    exchange([slow, second, third], finish(slow));
    expect(commands(slow.applied)).toEqual(["y"]);
    for (const node of [second, third]) expect(commands(node.applied)).toEqual(commands(slow.applied));
  });

  test("does not earn votes for a candidate that crashed and came back without what it asked with", () => {
    const { 1: slow, 2: second, 3: third } = three();
    slow.raw.campaign();
    for (const m of slow.takeReady()) if (m.to === 2) second.raw.step(m);
    const grants = finish(second);
    slow.crash();
    // Another leader commits an entry with node 2, in the term that node 1 has forgotten or in a later one.
    third.raw.campaign();
    exchange([second, third], finish(third));
    third.raw.propose(bytes("committed"));
    exchange([second, third], finish(third));
    // Node 1 stands again, and the old answer comes.
    slow.raw.campaign();
    finish(slow);
    for (const m of grants) slow.raw.step(m);
    expect(slow.raw.basicStatus().softState.role).not.toBe("StateLeader");
  });
});

describe("a leader", () => {
  test("is one only when its own vote is durable and counted, whoever else has granted", () => {
    const node = three()[1];
    node.raw.campaign();
    node.takeReady();
    // No voter can have been asked yet. Even so, votes that appear from somewhere do not make a leader of a term that a crash
    // would make this node forget.
    for (const from of [2, 3]) node.raw.step(message({ type: "MsgVoteResp", from, to: 1, term: 1 }));
    expect(node.raw.basicStatus().softState.role).toBe("StateCandidate");
    node.write();
    expect(node.raw.basicStatus().softState.role).toBe("StateLeader");
  });
});

describe("with slow disks, crashes, and a network that loses, repeats and reorders", () => {
  test("no message leaves before what it claims is durable, and nodes apply the same entries", () => {
    let sent = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const disks = new SlowDisks(seed);
      disks.run(1500);
      disks.heal(60);
      const leader = disks.nodes.find(({ raw }) => raw.basicStatus().softState.role === "StateLeader");
      expect(leader?.raw.propose(bytes("healed")).ok, `seed ${seed}: a leader`).toBe(true);
      disks.heal(10);
      expect(disks.findings, `seed ${seed}`).toEqual([]);
      for (const { applied } of disks.nodes) expect(commands(applied).at(-1), `seed ${seed}`).toBe("healed");
      sent += disks.sent;
    }
    expect(sent).toBeGreaterThan(20_000);
  });
});
