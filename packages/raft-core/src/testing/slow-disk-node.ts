/**
 * A RawNode in asynchronous mode whose disk and state machine work only when a test says so, and which can crash between any two of
 * these steps. A crash loses every write that is not done and everything in memory; the log is applied again from its start.
 */
import type { Config } from "../config.ts";
import { decodeConfChange, decodeConfChangeV2 } from "../eraftpb/conf-change.ts";
import { invariant } from "../errors.ts";
import { MemoryStorage, type MemoryStorageContents } from "../memory-storage.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../message.ts";
import type { ReadState } from "../raft/read-index.ts";
import { RawNode } from "../raw-node.ts";
import { seededRng } from "../rng.ts";
import type { ConfState, Entry, NodeId } from "../types.ts";

export type SlowDiskConfig = Partial<Omit<Config, "id" | "storage" | "asyncStorageWrites">>;

export class SlowDiskNode {
  readonly id: NodeId;
  readonly storage: MemoryStorage;
  raw: RawNode;
  /** Applied since the last restart, or since the snapshot that came after that. */
  readonly applied: Entry[] = [];
  readonly readStates: ReadState[] = [];
  readonly #config: SlowDiskConfig;
  #writes: Message[] = [];
  #applies: Message[] = [];
  #starts = 0;

  constructor(id: NodeId, contents: MemoryStorageContents, config: SlowDiskConfig = {}) {
    this.id = id;
    this.#config = config;
    this.storage = new MemoryStorage(contents);
    this.raw = this.#start();
  }

  /** How many times it was started. */
  get incarnation(): number {
    return this.#starts;
  }

  /** Writes that were handed out and are not done. */
  get pendingWrites(): number {
    return this.#writes.length;
  }

  /** Takes whatever is ready. Returns the messages that leave at once; writes and entries to apply wait. */
  takeReady(): Message[] {
    const leaving: Message[] = [];
    while (this.raw.hasReady()) {
      const { messages, readStates } = this.raw.ready();
      this.readStates.push(...readStates);
      for (const m of messages) {
        if (m.to === LOCAL_APPEND_THREAD) this.#writes.push(m);
        else if (m.to === LOCAL_APPLY_THREAD) this.#applies.push(m);
        else leaving.push(m);
      }
    }
    return leaving;
  }

  /** Completes the oldest write. Returns the messages that leave behind it. */
  write(): Message[] {
    const m = this.#writes.shift();
    if (m === undefined) return [];
    const { term, vote, commit, entries, snapshot, responses } = m;
    if (snapshot !== undefined) {
      // What was handed out before the snapshot is part of it.
      this.#applies = [];
      this.applied.length = 0;
      this.storage.applySnapshot(snapshot);
    }
    if (entries.length > 0) this.storage.writeSync({ entries });
    if (term !== 0) this.storage.writeSync({ hardState: { term, vote, commit } });
    return this.#deliver(responses);
  }

  /** Applies what was handed out first. Returns whether there was anything. */
  apply(): boolean {
    const m = this.#applies.shift();
    if (m === undefined) return false;
    for (const entry of m.entries) {
      this.applied.push(entry);
      if (entry.type === "EntryConfChange") this.raw.applyConfChange(decodeConfChange(entry.data));
      else if (entry.type === "EntryConfChangeV2") this.raw.applyConfChange(decodeConfChangeV2(entry.data));
    }
    this.#deliver(m.responses);
    return true;
  }

  /** Loses what is not on disk, and starts again. */
  crash(): void {
    this.#writes = [];
    this.#applies = [];
    this.applied.length = 0;
    this.raw = this.#start();
  }

  #deliver(responses: readonly Message[]): Message[] {
    const leaving: Message[] = [];
    for (const response of responses) {
      if (response.to !== this.id) leaving.push(response);
      else invariant(this.raw.step(response).ok, () => `the node refuses its own ${response.type}`);
    }
    return leaving;
  }

  #start(): RawNode {
    this.#starts += 1;
    return new RawNode({
      electionTicks: 10,
      heartbeatTicks: 1,
      maxMessageBytes: Number.POSITIVE_INFINITY,
      maxInflightMessages: 256,
      rng: seededRng(this.id + 1000 * this.#starts),
      ...this.#config,
      id: this.id,
      storage: this.storage,
      asyncStorageWrites: true,
    });
  }
}

/** A configuration of voters alone. */
export function votersOnly(voters: readonly NodeId[]): ConfState {
  return { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
}
