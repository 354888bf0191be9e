/** A view of a state store at one moment, until it is closed. */
import { InvariantViolation } from "../errors.ts";
import type { StateKey, StateReader, StateRecord } from "../ports/state-reader.ts";
import type { StateView } from "../ports/state-store.ts";
import type { LogIndex } from "../types.ts";

/** A {@link StateView} over a reader that does not change. Reads throw InvariantViolation once the view is closed, also in a walk that has begun. */
export class RecordView implements StateView {
  readonly appliedIndex: LogIndex;
  #reader: StateReader | undefined;
  #release: (() => void) | undefined;

  /** `release` is called once, when the view is closed. */
  constructor(reader: StateReader, appliedIndex: LogIndex, release: () => void) {
    this.#reader = reader;
    this.appliedIndex = appliedIndex;
    this.#release = release;
  }

  get(key: StateKey): Uint8Array | undefined {
    return this.#open().get(key);
  }

  *scan(start: StateKey, end: StateKey): Generator<StateRecord> {
    for (const record of this.#open().scan(start, end)) {
      yield record;
      this.#open();
    }
  }

  *scanBack(start: StateKey, end: StateKey): Generator<StateRecord> {
    for (const record of this.#open().scanBack(start, end)) {
      yield record;
      this.#open();
    }
  }

  /** Detaches the view from its store: closing the view does not call `release` any more. */
  detach(): void {
    this.#release = undefined;
  }

  close(): void {
    const release = this.#release;
    this.#reader = undefined;
    this.#release = undefined;
    release?.();
  }

  #open(): StateReader {
    if (this.#reader === undefined) throw new InvariantViolation("a view of state was read after it was closed");
    return this.#reader;
  }
}
