/**
 * The new content of a state store, on its way to disk: a generation of its own, written in pieces with checkpoints, each as large as may
 * wait in memory.
 */
import { invariant, type LogIndex, type StateKey, type StateReplacement } from "@raftoral/raft-core";
import type { WriteTransaction } from "../commit/checkpoint.ts";
import type { StoredState } from "./state-reader.ts";
import type { StateKeys } from "./state-records.ts";

/** What a record takes in memory beside its value, roughly. */
const RECORD_OVERHEAD_BYTES = 128;

/** Options of an {@link LmdbStateReplacement}. */
export interface LmdbStateReplacementOptions {
  readonly stored: StoredState;
  readonly bufferBytes: number;
  readonly checkpoint: () => Promise<void>;
  /** It will not take the store's place. */
  readonly dropped: () => void;
}

type Phase = "open" | "finishing" | "ended";

/** One replacement of a state store. `finish` puts it in the old content's place, `abort` leaves its records as garbage. */
export class LmdbStateReplacement implements StateReplacement {
  readonly #options: LmdbStateReplacementOptions;
  #pending = new Map<StateKey, Uint8Array>();
  #pendingBytes = 0;
  /** On its way with the checkpoint under way. */
  #writing: ReadonlyMap<StateKey, Uint8Array> | undefined;
  #drained: Promise<void> | undefined;
  #phase: Phase = "open";
  /** Where the state stands, once nothing more is put. */
  finishedAt: LogIndex | undefined;

  constructor(options: LmdbStateReplacementOptions) {
    this.#options = options;
  }

  get keys(): StateKeys {
    return this.#options.stored.keys;
  }

  get drained(): Promise<void> | undefined {
    return this.#pendingBytes > this.#options.bufferBytes ? this.#drained : undefined;
  }

  get(key: StateKey): Uint8Array | undefined {
    return this.#pending.get(key) ?? this.#writing?.get(key) ?? this.#options.stored.get(key);
  }

  put(key: StateKey, value: Uint8Array): void {
    invariant(this.#phase === "open", () => `a record was put into a replacement of state that is ${this.#phase}`);
    this.#pending.set(key, value);
    this.#pendingBytes += value.length + RECORD_OVERHEAD_BYTES;
    if (this.#pendingBytes > this.#options.bufferBytes) this.#drain();
  }

  async finish(appliedIndex: LogIndex): Promise<void> {
    invariant(this.#phase === "open", () => `a replacement of state was finished that is ${this.#phase}`);
    this.#phase = "finishing";
    await this.#drained;
    this.finishedAt = appliedIndex;
    await this.#options.checkpoint();
    invariant(this.#phase === "finishing", "a replacement of state was dropped while it took its place");
    this.#phase = "ended";
  }

  async abort(): Promise<void> {
    if (this.#phase === "ended") return;
    // The last step is decided by the disk: it has taken place, or the environment has ended.
    if (this.finishedAt !== undefined) return;
    this.#phase = "ended";
    this.#pending.clear();
    this.#pendingBytes = 0;
    await this.#drained?.catch(() => undefined);
    this.#options.dropped();
  }

  /** The next piece. */
  writeTo(
    transaction: WriteTransaction,
    write: (transaction: WriteTransaction, keys: StateKeys, key: StateKey, value: Uint8Array) => void,
  ): void {
    const writing = this.#pending;
    this.#pending = new Map();
    this.#pendingBytes = 0;
    this.#writing = writing;
    for (const [key, value] of writing) write(transaction, this.keys, key, value);
  }

  /** The piece is durable. */
  written(): void {
    this.#writing = undefined;
  }

  #drain(): void {
    if (this.#drained !== undefined) return;
    const drained = this.#options.checkpoint().finally(() => {
      this.#drained = undefined;
    });
    drained.catch(() => undefined);
    this.#drained = drained;
  }
}
