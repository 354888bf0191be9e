/** What ends a call of the body before its time. */
export interface AbortOptions {
  /**
   * A signal that the body aborts itself: the call rejects with its reason, and consumes nothing. A signal that something else aborts (a timer, a
   * request) makes a replay take another course.
   */
  readonly signal?: AbortSignal;
}
