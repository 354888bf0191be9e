/**
 * The storage of a node in interaction scripts: a memory storage whose snapshot is the last one of a history, to which the
 * script's state machine appends.
 */
import { invariant } from "../../errors.ts";
import { MemoryStorage } from "../../memory/memory-storage.ts";
import type { LogStorage, Missing } from "../../ports/storage.ts";
import type { ConfState, Entry, HardState, LogIndex, Snapshot, Term } from "../../types.ts";
import { CommandError } from "./command-error.ts";

/** A storage with one snapshot for each applied entry. */
export class InteractionStorage implements LogStorage {
  readonly #log = new MemoryStorage();
  /** The first snapshot of the node, then one for each applied entry. Never empty. */
  readonly #history: Snapshot[];

  /** Index of the last snapshot that replaced the log. */
  #installedIndex: LogIndex = 0;

  constructor(first: Snapshot) {
    this.#history = [first];
    if (first.metadata.index > 0) this.applySnapshot(first);
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return this.#log.initialState();
  }

  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] | Missing {
    return this.#log.entries(lo, hi, maxBytes);
  }

  term(index: LogIndex): Term | Missing {
    return this.#log.term(index);
  }

  firstIndex(): LogIndex {
    return this.#log.firstIndex();
  }

  lastIndex(): LogIndex {
    return this.#log.lastIndex();
  }

  /** The state machine's latest state. A received snapshot is stored but is not part of the history. */
  snapshot(): Snapshot {
    const last = this.#history[this.#history.length - 1];
    invariant(last !== undefined, "the history of snapshots is empty");
    return last;
  }

  /** Appends the state after another applied entry. */
  push(snapshot: Snapshot): void {
    this.#history.push(snapshot);
  }

  /** Stores the hard state. */
  setHardState(hardState: HardState): void {
    this.#log.writeSync({ hardState });
  }

  /** Appends entries, which may repeat stored ones: replaces the log from the first entry on, and skips compacted entries. */
  append(entries: readonly Entry[]): void {
    const kept = entries.filter((entry) => entry.index >= this.firstIndex());
    if (kept.length > 0) this.#log.writeSync({ entries: kept });
  }

  /** Replaces the log by a snapshot. Throws CommandError for one that is not newer than the last. */
  applySnapshot(snapshot: Snapshot): void {
    if (snapshot.metadata.index <= this.#installedIndex) {
      throw new CommandError("requested index is older than the existing snapshot");
    }
    this.#log.applySnapshot(snapshot);
    this.#installedIndex = snapshot.metadata.index;
  }

  /** Deletes entries up to and including `index`. Throws CommandError when they are compacted already. */
  compact(index: LogIndex): void {
    if (index < this.firstIndex()) throw new CommandError("requested index is unavailable due to compaction");
    this.#log.writeSync({ compactTo: index + 1 });
  }
}
