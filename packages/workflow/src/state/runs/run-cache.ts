/**
 * Runs that were looked at lately, decoded. What it holds is in the store as well, so dropping changes nothing but time.
 *
 * Two halves: what is found in the old one moves to the young one, and when that is full the old one is dropped. So a look-up costs a
 * look into a table, and no list is kept in order.
 */
import type { RunRecord } from "./run-record.ts";

/** What a run takes beside its signals, roughly. */
const RUN_BYTES = 1_024;

/** The cache of one state machine. `maxBytes` bounds an estimate of what both halves hold; a run beyond the bound is decoded from the store again. */
export class RunCache {
  readonly #maxBytes: number;
  #young = new Map<string, RunRecord>();
  #old = new Map<string, RunRecord>();
  #youngBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(runId: string): RunRecord | undefined {
    const young = this.#young.get(runId);
    if (young !== undefined) return young;
    const old = this.#old.get(runId);
    if (old === undefined) return undefined;
    this.#old.delete(runId);
    this.add(old);
    return old;
  }

  add(run: RunRecord): void {
    this.#young.set(run.runId, run);
    this.charge(RUN_BYTES + run.signals.reduce((bytes, { payload }) => bytes + payload.length, 0));
  }

  /** A run that is here has grown by `bytes`. */
  charge(bytes: number): void {
    this.#youngBytes += bytes;
    if (this.#youngBytes * 2 <= this.#maxBytes) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }

  delete(runId: string): void {
    this.#young.delete(runId);
    this.#old.delete(runId);
  }
}
