/** How long a request may take, and what ends it before. */
export interface RequestLimit {
  /** In milliseconds; may be Infinity for waits. */
  readonly timeoutMs: number;
  /** Ends a wait at once; a command that has left may still take effect. */
  readonly signal?: AbortSignal | undefined;
}
