/** A clock that gives the same on a replay: it stands still but for the recorded time that the model took. */

/** The clock of one call of the SDK, in ms from its beginning. The SDK takes the performance figures of its results from it. */
export class RecordedClock {
  #nowMs = 0;

  readonly now = (): number => this.#nowMs;

  /** A recorded call of the model took this long. */
  passed(ms: number): void {
    this.#nowMs += ms;
  }
}
