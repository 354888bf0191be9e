/** Pages of lists. */
import type { ReadOptions } from "./call-options.ts";

/** Options of one page. */
export interface PageOptions extends ReadOptions {
  /** Entries of the page at most, 1 to 1000 (100). A page may have fewer, for it is bounded in bytes and in work too. */
  readonly pageSize?: number;
  /** `nextPageToken` of the page before. */
  readonly pageToken?: string;
}

/** A checked page: `pageToken` is what an implementation gave out, or an invention of the caller. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string | undefined;
}
