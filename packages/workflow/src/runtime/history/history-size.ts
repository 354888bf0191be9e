/** Notices when the history of a run gets large: replays read all of it, and every node keeps it. */

/** Records from which on a history is large. */
export const LARGE_HISTORY_RECORDS = 10_000;
/** Bytes of their values from which on it is large. */
export const LARGE_HISTORY_BYTES = 32 * 1024 * 1024;

/** The size of one run's history. */
export class HistorySize {
  #records: number;
  #bytes: number;
  readonly #onLarge: (records: number, bytes: number) => void;

  /** `onLarge`: called once, when the history passes a limit under this owner. */
  constructor(values: Iterable<Uint8Array>, onLarge: (records: number, bytes: number) => void) {
    this.#records = 0;
    this.#bytes = 0;
    for (const { length } of values) {
      this.#records += 1;
      this.#bytes += length;
    }
    this.#onLarge = onLarge;
  }

  /** Records of the run that this node has heard of. */
  get records(): number {
    return this.#records;
  }

  /** A record was committed. */
  add(bytes: number): void {
    const wasLarge = this.#isLarge;
    this.#records += 1;
    this.#bytes += bytes;
    if (!wasLarge && this.#isLarge) this.#onLarge(this.#records, this.#bytes);
  }

  get #isLarge(): boolean {
    return this.#records >= LARGE_HISTORY_RECORDS || this.#bytes >= LARGE_HISTORY_BYTES;
  }
}
