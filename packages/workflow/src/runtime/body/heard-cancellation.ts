/** The record of the moment in which a body heard that its run is cancelled (run-execution.ts B6). */

/** What is recorded when the body hears of its cancellation. */
export interface Heard {
  /** Path of the last sleep that had ended by then without a record of its end. */
  readonly after?: string | undefined;
}
