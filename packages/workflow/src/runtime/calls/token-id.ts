/**
 * Ids of tokens: what somebody outside needs to answer one.
 *
 * TI1. An id names its run and its path, so that any node finds the token, and has a secret that only the run can make: HMAC-SHA-256 under the run's seed.
 *      It is the same on every owner.
 * TI2. An id is text of letters, digits, `-`, `_` and `.`, and can stand in a URL as it is.
 */
import { createHash, createHmac } from "node:crypto";
import type { KeyedRun } from "./steps/idempotency-key.ts";

const PREFIX = "rt_";

/** What an id says of its token. */
export interface TokenPlace {
  readonly runId: string;
  readonly path: string;
  /** SHA-256 of the secret, in hexadecimal digits. */
  readonly digest: string;
}

/** The id of the token that a run gives out at a path (TI1). */
export function tokenId({ runId, seed }: KeyedRun, path: string): string {
  const place = JSON.stringify([runId, path]);
  const secret = createHmac("sha256", seed).update(`token ${place}`).digest("base64url");
  return `${PREFIX}${Buffer.from(place).toString("base64url")}.${secret}`;
}

/** What an id says; undefined for a text that is none. */
export function tokenPlace(id: string): TokenPlace | undefined {
  const [place = "", secret = "", ...more] = id.startsWith(PREFIX) ? id.slice(PREFIX.length).split(".") : [];
  if (secret === "" || more.length > 0) return undefined;
  try {
    const named: unknown = JSON.parse(Buffer.from(place, "base64url").toString());
    if (!Array.isArray(named) || named.length !== 2) return undefined;
    const [runId, path]: unknown[] = named;
    if (typeof runId !== "string" || typeof path !== "string") return undefined;
    if (!runId.isWellFormed() || !path.isWellFormed()) return undefined;
    return { runId, path, digest: createHash("sha256").update(secret).digest("hex") };
  } catch {
    return undefined;
  }
}
