/**
 * LockRelease: those who asked for a lock do not hold it, or wait for it, any more; or an operator takes a lock from its holder.
 *
 * LX1. A holder that a lock was taken from is not asked. It may go on for a while; its token is lower than the next one's, by which outside systems refuse it.
 */
import { optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/** Ends an ask. Answered with Done; `changed` is false when there is none. Refused with LOCK_NOT_HELD for a token that holds nothing. */
export interface LockRelease {
  readonly kind: "LockRelease";
  readonly name: string;
  /** The request; empty for what an operator names by its token. */
  readonly requestId: string;
  /** The token of the holder, where an operator takes the lock from it; 0 else. */
  readonly token: number;
  readonly atMs: number;
  /** Who asks for it: an operator (operators/operated.ts). */
  readonly by?: string;
  readonly reason?: string;
}

export const lockRelease = defineCommand<LockRelease, Done>({
  kind: "LockRelease",
  field: 64,
  summary: "Ends what somebody holds of a lock or waits for, also by force.",
  maxRuns: 0,
  fields: {
    name: string(1),
    requestId: string(2),
    token: uint(3),
    atMs: uint(4),
    by: optional(string(BY_FIELD)),
    reason: optional(string(REASON_FIELD)),
  },
  audited: ({ name, token }) => ({ action: "release-lock", subject: name, detail: `token ${token}` }),
  apply({ locks }, { name, requestId, token }) {
    if (requestId === "" && token > 0) {
      if (locks.leave({ name, ticket: 0, token })) return { ok: true, kind: "Done", changed: true };
      return refused(
        "LOCK_NOT_HELD",
        `No one holds lock ${name} with token ${token}. Look who holds it: it may have been released.`,
        { lock: name },
      );
    }
    const request = locks.request(name, requestId);
    return { ok: true, kind: "Done", changed: request !== undefined && locks.leave(request) };
  },
});
