/**
 * A group of {@link SlowDiskNode}s on a network that loses, repeats and reorders messages. A seed decides all events. The group checks every
 * message that leaves, every leader, and every applied entry, over all restarts, and collects its findings.
 */
import { encodeConfChangeV2 } from "../../../eraftpb/conf-change.ts";
import type { Message, MessageType } from "../../../message.ts";
import { seededRng } from "../../../ports/rng.ts";
import type { ConfChangeSingle, ConfChangeType, ConfState, NodeId } from "../../../types.ts";
import { bytes } from "./lockstep-network.ts";
import { type SlowDiskConfig, SlowDiskNode } from "./slow-disk-node.ts";

/** The frequency of each kind of event, relative to the sum of all. */
export interface Weights {
  readonly ready: number;
  readonly write: number;
  readonly apply: number;
  readonly deliver: number;
  readonly tick: number;
  readonly campaign: number;
  readonly propose: number;
  readonly transfer: number;
  readonly crash: number;
  readonly change: number;
}

/** Weights without changes of the configuration. */
export const ORDINARY: Weights = {
  ready: 25,
  write: 15,
  apply: 5,
  deliver: 30,
  tick: 13,
  campaign: 2,
  propose: 6,
  transfer: 2,
  crash: 2,
  change: 0,
};

/** Runs random events on a group of slow nodes and checks them. */
export class SlowDiskGroup {
  readonly nodes: readonly SlowDiskNode[];
  /** Descriptions of broken rules. */
  readonly findings: string[] = [];
  /** Nodes that have stopped for good. */
  readonly gone = new Set<NodeId>();
  readonly rng: ReturnType<typeof seededRng>;
  sent = 0;
  #network: Message[] = [];
  readonly #applied = new Map<number, string>();
  readonly #leaders = new Map<number, string>();

  constructor(seed: number, confState: ConfState, config: SlowDiskConfig) {
    this.rng = seededRng(seed);
    const ids = [...confState.voters, ...confState.learners];
    this.nodes = ids.map((id) => new SlowDiskNode(id, { confState }, config));
  }

  get alive(): readonly SlowDiskNode[] {
    return this.nodes.filter(({ id }) => !this.gone.has(id));
  }

  get leader(): SlowDiskNode | undefined {
    return this.alive.find(({ raw }) => raw.basicStatus().softState.role === "StateLeader");
  }

  /** Runs one random event of one node. */
  step(weights: Weights): void {
    const node = this.#one(this.alive);
    switch (this.#choose(weights)) {
      case "ready":
        this.#leave(node, node.takeReady());
        break;
      case "write":
        this.#leave(node, node.write());
        break;
      case "apply":
        node.apply();
        break;
      case "deliver":
        this.#deliverOne();
        break;
      case "tick":
        node.raw.tick();
        break;
      case "campaign":
        node.raw.campaign();
        break;
      case "propose":
        node.raw.propose(bytes(`${node.id}:${this.sent}`));
        break;
      case "transfer":
        node.raw.transferLeader(this.#one(this.nodes).id);
        break;
      case "crash":
        node.crash();
        break;
      case "change":
        this.#change(node);
        break;
    }
    this.#look(node);
  }

  /** Runs rounds without faults: each round ticks every node and then settles. */
  heal(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      for (const { raw } of this.alive) raw.tick();
      this.settle();
    }
  }

  /** Runs all work that needs no tick, without losing messages. */
  settle(): void {
    for (let turns = 0; turns < 1_000; turns++) {
      for (const node of this.alive) {
        this.#leave(node, node.takeReady());
        while (node.pendingWrites > 0) this.#leave(node, node.write());
        while (node.apply());
        this.#look(node);
      }
      if (this.#network.length === 0) return;
      for (const m of this.#network.splice(0)) this.#step(m);
    }
    this.findings.push("the nodes do not come to rest");
  }

  /** Drops the messages that are under way. */
  loseMessages(): void {
    this.#network = [];
  }

  #choose(weights: Weights): keyof Weights {
    const entries = Object.entries(weights) as [keyof Weights, number][];
    let left = this.rng.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [what, weight] of entries) {
      if (left < weight) return what;
      left -= weight;
    }
    return "tick";
  }

  #one<T>(values: readonly T[]): T {
    return values[this.rng.below(values.length)] as T;
  }

  /**
   * On a leader: proposes that up to three members become voters or learners, or leave. A proposal without members asks to leave a joint
   * configuration. Other nodes do not propose, because they could name a member that was removed meanwhile, and ids are never used again.
   */
  #change(node: SlowDiskNode): void {
    if (node.raw.basicStatus().softState.role !== "StateLeader") return;
    const types: readonly ConfChangeType[] = ["AddNode", "AddLearnerNode", "RemoveNode", "RemoveNode"];
    const changes = Array.from({ length: this.rng.below(4) }, (): ConfChangeSingle => {
      const type = this.#one(types);
      return { type, nodeId: this.#one(node.raw.raft.tracker.ids) };
    });
    const transition = this.#one(["Auto", "Auto", "Implicit", "Explicit"] as const);
    const data = encodeConfChangeV2({ transition, changes, context: bytes("") });
    node.raw.proposeEntries([{ type: "EntryConfChangeV2", data }]);
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
    const at = this.rng.below(this.#network.length + 1);
    const m = this.#network[at];
    if (m === undefined) return;
    const fate = this.rng.below(10);
    if (fate > 0) this.#network.splice(at, 1);
    if (fate !== 1) this.#step(m);
  }

  #step(m: Message): void {
    if (!this.gone.has(m.to)) this.nodes.find(({ id }) => id === m.to)?.raw.step(m);
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

/** Messages that claim nothing on which an election or a commit depends. */
const CLAIMS_NOTHING: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgPreVote",
  "MsgPreVoteResp",
  "MsgHeartbeatResp",
  "MsgTransferLeader",
]);

/** The claim of a message that its sender's disk does not support; undefined if there is none. */
function unfounded(m: Message, { id, storage }: SlowDiskNode): string | undefined {
  if (CLAIMS_NOTHING.has(m.type) || m.term === 0) return undefined;
  const { term, vote } = storage.initialState().hardState;
  if (term < m.term) return "the term is not durable";
  // The sender's disk has a later term already. The claim was true before that.
  if (term > m.term) return undefined;
  switch (m.type) {
    case "MsgVote":
      if (vote !== id) return "the candidate's own vote is not durable";
      return storage.term(m.index) === m.logTerm ? undefined : "the log is not durable";
    case "MsgVoteResp":
      return m.reject || vote === m.to ? undefined : "the vote is not durable";
    case "MsgAppResp":
      return m.reject || m.index <= storage.lastIndex() ? undefined : "the entries are not durable";
    case "MsgApp":
    case "MsgHeartbeat":
    case "MsgSnap":
    case "MsgTimeoutNow":
    case "MsgReadIndexResp":
      return vote === id ? undefined : "the leader's own vote is not durable";
    default:
      return undefined;
  }
}
