/**
 * Answers that a body has and the log does not have yet.
 *
 * A body that waits for one call only may go on before its answer is committed: nothing of what it does next is seen outside before the
 * answer is. Its next records, and the end of the run, travel in the same entry of the log.
 *
 * SR1. Records are proposed in the order in which they were staged, and one batch at a time. A record that is not staged, of a body with several open
 *      calls, is proposed once nothing is staged (history.ts). So a later one never stands in the log without those before it, also not without those
 *      that a replay makes again: it would ask for them first, find none, and take the later ones for the record of other code.
 * SR2. `settled` tells when nothing is staged that a replay could answer in another way. A step's function waits for it.
 * SR3. What a replay makes again the same way (a variable that was set) waits for the next batch, up to VISIBLE_WITHIN_MS.
 * SR4. The end of a run is committed together with what is staged, or after it.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import type { NewRecord } from "../../commands/history/records.ts";
import { MAX_RECORDS_PER_ENTRY } from "../../model/record.ts";
import type { RunOutcome } from "../../model/runs/run-outcome.ts";

/** What a {@link StagedRecords} is made of. */
export interface StagedRecordsOptions {
  readonly clock: Clock;
  /** Commits a batch, and the run's end with it. Never settles once the run is lost; rejects when the log refuses the batch. */
  readonly commit: (records: readonly NewRecord[], end: RunOutcome | undefined) => Promise<void>;
  /** A batch that was staged in the background was refused: the body has answers that will never be in the log. */
  readonly onRefused: (error: unknown) => void;
  /** Bytes of values in one batch at most. A larger value is a batch of its own. */
  readonly maxBatchBytes: number;
}

/** How long a record that can be recomputed may wait for company, in milliseconds. */
export const VISIBLE_WITHIN_MS = 20;

/** Records that go into one entry of the log. */
class Batch {
  readonly records: NewRecord[] = [];
  readonly done = Promise.withResolvers<void>();
  bytes = 0;
  /** Whether a replay makes all of it again the same way. */
  isRecomputable = true;
  end: RunOutcome | undefined;

  constructor() {
    // Often nothing waits for a batch.
    this.done.promise.catch(() => {});
  }

  takes(bytes: number, maxBytes: number): boolean {
    if (this.records.length === 0) return true;
    return this.records.length < MAX_RECORDS_PER_ENTRY && this.bytes + bytes <= maxBytes;
  }
}

/** The staged records of one body (SR1 to SR4). */
export class StagedRecords {
  readonly #options: StagedRecordsOptions;
  /** Not proposed yet, in order; the last one may take more. */
  readonly #queue: Batch[] = [];
  #underWay: Batch | undefined;
  #isFlushWanted = false;
  #isFlushSoon = false;
  #cancelLateFlush: Cancel | undefined;

  constructor(options: StagedRecordsOptions) {
    this.#options = options;
  }

  /** Takes an answer that the body is given now. `isRecomputable`: a replay that lacks the record makes the same one. */
  stage(record: NewRecord, isRecomputable: boolean): void {
    const batch = this.#open(record.value.length);
    batch.records.push(record);
    batch.bytes += record.value.length;
    if (isRecomputable) {
      this.#cancelLateFlush ??= this.#options.clock.after(VISIBLE_WITHIN_MS, () => this.flush());
      return;
    }
    batch.isRecomputable = false;
    if (this.#isFlushSoon) return;
    // The body may end in this turn, or set variables: what it does without waiting joins the batch.
    this.#isFlushSoon = true;
    this.#options.clock.soon(() => {
      this.#isFlushSoon = false;
      this.flush();
    });
  }

  /** Undefined when everything that cannot be recomputed is committed; else resolves when what is staged now is (SR2). */
  settled(): Promise<void> | undefined {
    const last = this.#queue.findLast((batch) => !batch.isRecomputable);
    const awaited = last ?? (this.#underWay?.isRecomputable === false ? this.#underWay : undefined);
    if (awaited === undefined) return undefined;
    this.flush();
    return awaited.done.promise;
  }

  /** Whether everything that was staged is committed. */
  get isEmpty(): boolean {
    return this.#queue.length === 0 && this.#underWay === undefined;
  }

  /** Proposes what is staged, without waiting for company. */
  flush(): void {
    this.#cancelLateFlush?.();
    this.#cancelLateFlush = undefined;
    if (this.#queue.length === 0) return;
    this.#isFlushWanted = true;
    this.#pump();
  }

  /** Resolves when everything that is staged now is committed. */
  async quiet(): Promise<void> {
    const last = this.#queue.at(-1) ?? this.#underWay;
    this.flush();
    await last?.done.promise;
  }

  /** Commits the end of the run after all that is staged (SR4). Rejects when the log refuses it. `bytes`: what it adds to a batch. */
  end(outcome: RunOutcome, bytes: number): Promise<void> {
    const batch = this.#open(bytes);
    batch.end = outcome;
    this.flush();
    return batch.done.promise;
  }

  #open(bytes: number): Batch {
    const last = this.#queue.at(-1);
    if (last?.takes(bytes, this.#options.maxBatchBytes) === true) return last;
    const batch = new Batch();
    this.#queue.push(batch);
    return batch;
  }

  #pump(): void {
    if (this.#underWay !== undefined) return;
    const batch = this.#queue.shift();
    if (batch === undefined) return;
    if (this.#queue.length === 0) this.#isFlushWanted = false;
    this.#underWay = batch;
    this.#options.commit(batch.records, batch.end).then(
      () => {
        this.#underWay = undefined;
        batch.done.resolve();
        if (this.#isFlushWanted || this.#queue.length > 1) this.#pump();
      },
      (error: unknown) => {
        this.#underWay = undefined;
        // What the body did with these answers has no ground any more.
        for (const dropped of [batch, ...this.#queue.splice(0)]) dropped.done.reject(error);
        if (batch.end === undefined) this.#options.onRefused(error);
      },
    );
  }
}
