/** Generations of a group's state that nothing refers to any more, deleted a bounded number of records at a time. */
import type { Database } from "lmdb";
import type { WriteTransaction } from "../commit/checkpoint.ts";
import { generationOf, generationRange } from "./state-records.ts";

/** Records deleted with one checkpoint: some milliseconds. */
const RECORDS_PER_CHECKPOINT = 4_000;

/** The garbage of one group's state store. Each checkpoint removes at most 4,000 of its records. */
export class StateGarbage {
  readonly #database: Database<Buffer, Buffer>;
  readonly #group: number;
  /** Generations that may have records left. */
  #generations: number[] = [];

  constructor(database: Database<Buffer, Buffer>, group: number) {
    this.#database = database;
    this.#group = group;
  }

  get isEmpty(): boolean {
    return this.#generations.length === 0;
  }

  add(generation: number): void {
    this.#generations.push(generation);
  }

  /** Looks for generations other than the one in use: what a replacement left, or one that was never finished. */
  find(inUse: number): void {
    for (let from = 0; ; ) {
      const found = this.#firstFrom(from);
      if (found === undefined) return;
      if (found !== inUse) this.#generations.push(found);
      from = found + 1;
    }
  }

  /** The highest generation that has records, or may have. */
  highest(): number {
    return Math.max(0, ...this.#generations);
  }

  /** To be called once for each transaction: what it reads are the records that the one before left. */
  collect(transaction: WriteTransaction): void {
    let room = RECORDS_PER_CHECKPOINT;
    while (room > 0) {
      const [generation] = this.#generations;
      if (generation === undefined) return;
      const range = generationRange(this.#group, generation, generation + 1);
      let found = 0;
      for (const key of this.#database.getKeys({ ...range, limit: room })) {
        transaction.remove(key);
        found += 1;
      }
      if (found === room) return;
      room -= found;
      this.#generations.shift();
    }
  }

  #firstFrom(generation: number): number | undefined {
    for (const key of this.#database.getKeys({ ...generationRange(this.#group, generation), limit: 1 })) {
      return generationOf(key);
    }
    return undefined;
  }
}
