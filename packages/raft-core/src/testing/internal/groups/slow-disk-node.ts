/**
 * A RawNode whose disk and state machine work only when a test calls them, and which can crash between any two of these steps. A crash
 * loses every pending write and everything in memory; the log is applied again from its start. In asynchronous mode (the
 * default) any number of writes may be pending; in synchronous mode one Ready is carried out after the other.
 */
import type { Config } from "../../../config.ts";
import { decodeConfChange, decodeConfChangeV2 } from "../../../eraftpb/conf-change.ts";
import { invariant } from "../../../errors.ts";
import { MemoryStorage, type MemoryStorageContents } from "../../../memory/memory-storage.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../../../message.ts";
import { seededRng } from "../../../ports/rng.ts";
import type { ReadState } from "../../../raft/read-index.ts";
import { RawNode } from "../../../raw-node.ts";
import type { ConfState, Entry, HardState, NodeId, Snapshot } from "../../../types.ts";

/** Configuration of a node; the rest has defaults. */
export type SlowDiskConfig = Partial<Omit<Config, "id" | "storage">>;

/** A piece of work for the disk or the state machine, and the messages that leave after it. */
interface Work {
  readonly hardState?: HardState | undefined;
  readonly entries: readonly Entry[];
  readonly snapshot?: Snapshot | undefined;
  readonly leaving: readonly Message[];
}

/** A node with a slow disk. */
export class SlowDiskNode {
  readonly id: NodeId;
  readonly storage: MemoryStorage;
  raw: RawNode;
  /** Entries applied since the last restart, or since a snapshot after it. */
  readonly applied: Entry[] = [];
  readonly readStates: ReadState[] = [];
  readonly #config: SlowDiskConfig;
  readonly #isAsync: boolean;
  #writes: Work[] = [];
  #applies: Work[] = [];
  #starts = 0;

  constructor(id: NodeId, contents: MemoryStorageContents, config: SlowDiskConfig = {}) {
    this.id = id;
    this.#config = config;
    this.#isAsync = config.asyncStorageWrites ?? true;
    this.storage = new MemoryStorage(contents);
    this.raw = this.#start();
  }

  /** Number of times that the node was started. */
  get incarnation(): number {
    return this.#starts;
  }

  /** Number of writes that were handed out and are not done. */
  get pendingWrites(): number {
    return this.#writes.length;
  }

  /** Takes all Readys. Returns the messages that leave at once; writes and entries to apply become pending. */
  takeReady(): Message[] {
    const leaving: Message[] = [];
    while (this.raw.hasReady() && (this.#isAsync || this.#writes.length + this.#applies.length === 0)) {
      const ready = this.raw.ready();
      this.readStates.push(...ready.readStates);
      if (!this.#isAsync) {
        const { hardState, entries, snapshot, messages, committedEntries } = ready;
        this.#writes.push({ hardState, entries, snapshot, leaving: messages });
        this.#applies.push({ entries: committedEntries, leaving: [] });
        continue;
      }
      for (const m of ready.messages) {
        if (m.to === LOCAL_APPEND_THREAD) this.#writes.push(writeOf(m));
        else if (m.to === LOCAL_APPLY_THREAD) this.#applies.push({ entries: m.entries, leaving: m.responses });
        else leaving.push(m);
      }
    }
    return leaving;
  }

  /** Completes the oldest write. Returns the messages that leave after it. */
  write(): Message[] {
    const work = this.#writes.shift();
    if (work === undefined) return [];
    const { hardState, entries, snapshot, leaving } = work;
    if (snapshot !== undefined) {
      // Entries that were handed out before the snapshot are part of it.
      if (this.#isAsync) this.#applies = [];
      this.applied.length = 0;
      this.storage.applySnapshot(snapshot);
    }
    this.storage.writeSync({ entries, ...(hardState === undefined ? {} : { hardState }) });
    return this.#deliver(leaving);
  }

  /** Applies the entries that were handed out first; in synchronous mode only after their write. Returns whether there were any. */
  apply(): boolean {
    if (!this.#isAsync && this.#writes.length > 0) return false;
    const work = this.#applies.shift();
    if (work === undefined) return false;
    for (const entry of work.entries) {
      this.applied.push(entry);
      if (entry.type === "EntryConfChange") this.raw.applyConfChange(decodeConfChange(entry.data));
      else if (entry.type === "EntryConfChangeV2") this.raw.applyConfChange(decodeConfChangeV2(entry.data));
    }
    this.#deliver(work.leaving);
    if (!this.#isAsync) this.raw.advance();
    return true;
  }

  /** Crashes and starts again: everything that is not on disk is lost. */
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
      asyncStorageWrites: this.#isAsync,
    });
  }
}

function writeOf({ term, vote, commit, entries, snapshot, responses }: Message): Work {
  return { hardState: term === 0 ? undefined : { term, vote, commit }, entries, snapshot, leaving: responses };
}

/** A configuration with only voters. */
export function votersOnly(voters: readonly NodeId[]): ConfState {
  return { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
}
