/**
 * A few RawNodes in one process, driven step by step, for the tests of the core.
 *
 * Messages leave a node only in {@link LockstepNetwork.stabilize}. There every node carries out its
 * Ready at once (writes are durable immediately), and messages arrive in the order they were sent, unless a link is cut. Ids
 * are 1, 2, 3 and so on. It is not a simulator: it has no time, and no faults except cut links and restarts.
 */
import type { Config } from "../../../config.ts";
import { decodeConfChange, decodeConfChangeV2 } from "../../../eraftpb/conf-change.ts";
import { invariant } from "../../../errors.ts";
import { MemoryStorage, type MemoryStorageContents } from "../../../memory/memory-storage.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../../../message.ts";
import { seededRng } from "../../../ports/rng.ts";
import type { ReadState } from "../../../raft/read-index.ts";
import { RawNode } from "../../../raw-node.ts";
import type { Ready } from "../../../ready.ts";
import type { ConfState, Entry, LogIndex, NodeId, Snapshot } from "../../../types.ts";

/** Configuration of a node; the rest has defaults. */
export type NodeConfig = Partial<Omit<Config, "id" | "storage">>;

/** The members and their configuration. */
export interface NetworkOptions {
  readonly voters: readonly NodeId[];
  readonly learners?: readonly NodeId[];
  /** Applies to every node. */
  readonly config?: NodeConfig;
  /** First contents of the storages of single nodes. The network adds the configuration. */
  readonly contents?: ReadonlyMap<NodeId, MemoryStorageContents>;
}

/** A storage that makes a snapshot of its node's applied state at each call of `snapshot`, without spooling. */
class LockstepStorage extends MemoryStorage {
  take: () => Snapshot | undefined = () => undefined;

  override snapshot(): Snapshot | "unavailable" {
    return this.take() ?? super.snapshot();
  }
}

/** One node of a {@link LockstepNetwork}. */
export class LockstepNode {
  readonly id: NodeId;
  raw: RawNode;
  readonly storage: LockstepStorage;
  readonly applied: Entry[] = [];
  readonly readStates: ReadState[] = [];
  confState: ConfState;
  readonly #config: NodeConfig;

  constructor(id: NodeId, confState: ConfState, contents: MemoryStorageContents, config: NodeConfig) {
    this.id = id;
    this.#config = config;
    this.confState = confState;
    this.storage = new LockstepStorage({ confState, ...contents });
    this.raw = this.#start();
  }

  /** Restarts the node, which loses everything that is not in the storage. */
  restart(): void {
    this.applied.length = 0;
    this.raw = this.#start();
  }

  /** Compacts the log before `index`. Members that need compacted entries get a snapshot of the applied state. */
  compact(index: LogIndex): void {
    this.storage.writeSync({ compactTo: index });
    this.storage.take = () => this.#appliedState();
  }

  /** Carries out all Readys and returns the messages to deliver. */
  carryOut(): Message[] {
    const out: Message[] = [];
    while (this.raw.hasReady()) this.#carryOutOne(this.raw.ready(), out);
    return out;
  }

  #carryOutOne(ready: Ready, out: Message[]): void {
    const { hardState, snapshot, entries } = ready;
    if (snapshot !== undefined) {
      this.storage.applySnapshot(snapshot);
      this.confState = snapshot.metadata.confState;
    }
    if (hardState !== undefined) this.storage.writeSync({ hardState });
    if (entries.length > 0) this.storage.writeSync({ entries });
    this.readStates.push(...ready.readStates);
    for (const entry of ready.committedEntries) this.#apply(entry);
    for (const m of ready.messages) {
      if (m.to === LOCAL_APPEND_THREAD || m.to === LOCAL_APPLY_THREAD) out.push(...m.responses);
      else out.push(m);
    }
    if (this.#config.asyncStorageWrites !== true) this.raw.advance();
  }

  #apply(entry: Entry): void {
    this.applied.push(entry);
    if (entry.type === "EntryConfChange") {
      this.confState = this.raw.applyConfChange(decodeConfChange(entry.data));
    } else if (entry.type === "EntryConfChangeV2") {
      this.confState = this.raw.applyConfChange(decodeConfChangeV2(entry.data));
    }
  }

  #appliedState(): Snapshot | undefined {
    const last = this.applied[this.applied.length - 1];
    if (last === undefined) return undefined;
    const metadata = { index: last.index, term: last.term, confState: this.confState };
    return { metadata, data: new Uint8Array([1]) };
  }

  #start(): RawNode {
    return new RawNode({
      id: this.id,
      storage: this.storage,
      rng: seededRng(this.id),
      electionTicks: 10,
      heartbeatTicks: 1,
      maxMessageBytes: Number.POSITIVE_INFINITY,
      maxInflightMessages: 256,
      ...this.#config,
    });
  }
}

/** The network of the nodes of one group. */
export class LockstepNetwork {
  readonly nodes = new Map<NodeId, LockstepNode>();
  /** Every message that was sent, delivered or not, in order. */
  readonly sent: Message[] = [];
  readonly #cutLinks = new Set<string>();
  #filter: (m: Message) => boolean = () => true;

  constructor(options: NetworkOptions) {
    const learners = options.learners ?? [];
    const confState: ConfState = {
      voters: options.voters,
      learners,
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    };
    for (const id of [...options.voters, ...learners]) {
      this.nodes.set(id, new LockstepNode(id, confState, options.contents?.get(id) ?? {}, options.config ?? {}));
    }
  }

  /** Adds a node that knows no members yet. */
  join(id: NodeId, config: NodeConfig = {}): LockstepNode {
    const noMembers: ConfState = { voters: [], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
    const node = new LockstepNode(id, noMembers, {}, config);
    this.nodes.set(id, node);
    return node;
  }

  /** The node with an id. Throws InvariantViolation when it does not exist. */
  node(id: NodeId): LockstepNode {
    const node = this.nodes.get(id);
    invariant(node !== undefined, () => `no node ${id}`);
    return node;
  }

  /** The RawNode of a node. */
  raw(id: NodeId): RawNode {
    return this.node(id).raw;
  }

  /** Lets `id` campaign, and stabilizes. */
  elect(id: NodeId): void {
    this.raw(id).campaign();
    this.stabilize();
  }

  /** Proposes a text on `id`, and stabilizes. Returns whether the proposal was accepted. */
  propose(id: NodeId, text: string): boolean {
    const outcome = this.raw(id).propose(bytes(text));
    this.stabilize();
    return outcome.ok;
  }

  /** Ticks one node `count` times. */
  tick(id: NodeId, count: number): void {
    for (let i = 0; i < count; i++) this.raw(id).tick();
  }

  /** Cuts the links between `id` and every other node, in both directions. */
  isolate(id: NodeId): void {
    for (const other of this.nodes.keys()) {
      if (other !== id) this.cut(id, other);
    }
  }

  /** Cuts the link between two nodes, in both directions. */
  cut(a: NodeId, b: NodeId): void {
    this.#cutLinks.add(`${a}-${b}`).add(`${b}-${a}`);
  }

  /** Repairs every link and lets all messages through. */
  heal(): void {
    this.#cutLinks.clear();
    this.#filter = () => true;
  }

  /** Delivers only messages for which `pass` holds. */
  deliverOnly(pass: (m: Message) => boolean): void {
    this.#filter = pass;
  }

  /** Carries out Readys and delivers messages until no node has work. Throws when that takes too many rounds. */
  stabilize(): void {
    for (let rounds = 0; rounds < 10_000; rounds++) {
      const messages = [...this.nodes.values()].flatMap((node) => node.carryOut());
      if (messages.length === 0) return;
      for (const m of messages) this.#deliver(m);
    }
    throw new Error("the network does not come to rest");
  }

  #deliver(m: Message): void {
    this.sent.push(m);
    if (m.from !== m.to && (this.#cutLinks.has(`${m.from}-${m.to}`) || !this.#filter(m))) return;
    this.nodes.get(m.to)?.raw.step(m);
  }
}

/** ASCII text as bytes. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Bytes as ASCII text. */
export function text(data: Uint8Array): string {
  return String.fromCharCode(...data);
}

/** The commands among `entries`, as texts, without the empty entries that begin terms. */
export function commands(entries: readonly Entry[]): string[] {
  return entries.filter((entry) => entry.type === "EntryNormal" && entry.data.length > 0).map(({ data }) => text(data));
}

/** Entries of the given terms, at indexes 1, 2, 3 and so on. */
export function entriesOfTerms(...terms: readonly number[]): Entry[] {
  return terms.map((term, at) => ({ term, index: at + 1, type: "EntryNormal", data: bytes(`t${term}i${at + 1}`) }));
}
