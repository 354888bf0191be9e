/**
 * What a group has changed on its way to LMDB, in four stages: in memory, being written to the journal, in the journal, being
 * brought into LMDB by the checkpoint under way.
 *
 * Y1. Entries in any stage are in memory only, as far as reading goes: the cache must keep them.
 * Y2. What compaction left behind is deleted from LMDB only after the last stage. Earlier, LMDB or the journal may still
 *     say that it belongs to the log; and a record that the journal puts there afterwards would stay for ever.
 */
import type { LogIndex } from "@raftoral/raft-core";
import { moveRanges, type Range } from "./entry-garbage.ts";

const NOTHING = Number.MAX_SAFE_INTEGER;

class Stage {
  /** First entry; {@link NOTHING} for none. */
  from = NOTHING;
  left: Range[] = [];

  /** All of it goes to the next stage, after what is there. */
  moveTo(next: Stage): void {
    next.from = Math.min(next.from, this.from);
    this.from = NOTHING;
    moveRanges(this.left, next.left);
  }
}

/** The pipeline of one group (Y1, Y2). */
export class Pipeline {
  readonly #changed = new Stage();
  readonly #writing = new Stage();
  readonly #journaled = new Stage();
  readonly #saving = new Stage();

  /** First entry that the next round must write; past every index when there is none. */
  get dirtyFrom(): LogIndex {
    return this.#changed.from;
  }

  /** First entry that LMDB may not show (Y1). */
  get pinnedFrom(): LogIndex {
    return Math.min(this.#changed.from, this.#writing.from, this.#journaled.from, this.#saving.from);
  }

  /** Entries from `index` on were replaced or added. */
  change(index: LogIndex): void {
    this.#changed.from = Math.min(this.#changed.from, index);
  }

  /** Entries below `to` need not be written any more. */
  skipTo(to: LogIndex): void {
    if (this.#changed.from < to) this.#changed.from = to;
  }

  /** None of the entries in memory need be written any more. */
  skipAll(): void {
    this.#changed.from = NOTHING;
  }

  /** Entries of the range do not belong to the log any more. */
  leave(range: Range): void {
    if (range.from < range.to) moveRanges([range], this.#changed.left);
  }

  /** A round takes what has changed. */
  write(): void {
    this.#changed.moveTo(this.#writing);
  }

  /** The round is durable. */
  written(): void {
    this.#writing.moveTo(this.#journaled);
  }

  /** A checkpoint begins. */
  checkpointing(): void {
    this.#journaled.moveTo(this.#saving);
  }

  /** It is done. Returns what may be deleted now (Y2). */
  checkpointed(): readonly Range[] {
    this.#saving.from = NOTHING;
    const { left } = this.#saving;
    this.#saving.left = [];
    return left;
  }
}
