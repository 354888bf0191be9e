/** What a run records of a token that it gives out. */

/** The record of a token. */
export interface RecordedToken {
  /** SHA-256 of the token's secret, in hexadecimal digits: who answers must know the secret, and who reads the history must not. */
  readonly digest: string;
  /** Until when an answer may come, in ms since the epoch; absent for as long as it takes. */
  readonly deadlineMs?: number;
}

/** Where the answer to the token at a path is recorded. */
export function answerPath(path: string): string {
  return `${path}/answer`;
}

/** The token of a record; undefined for bytes that are none. */
export function tokenIn(value: Uint8Array): RecordedToken | undefined {
  try {
    const token = JSON.parse(new TextDecoder().decode(value)) as Partial<RecordedToken> | null;
    return typeof token?.digest === "string" ? { ...token, digest: token.digest } : undefined;
  } catch {
    return undefined;
  }
}
