/** LockRenew: a holder says that it lives. Its lease begins again (lock-acquire.ts LC2). */
import { string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/** Renews a lease. Answered with Done. Refused with LOCK_LOST when the request does not hold the lock with this token any more. */
export interface LockRenew {
  readonly kind: "LockRenew";
  readonly name: string;
  readonly requestId: string;
  readonly token: number;
  readonly atMs: number;
}

export const lockRenew = defineCommand<LockRenew, Done>({
  kind: "LockRenew",
  field: 65,
  summary: "Renews the lease of a holder.",
  maxRuns: 0,
  fields: { name: string(1), requestId: string(2), token: uint(3), atMs: uint(4) },
  apply({ locks }, { name, requestId, token }) {
    const request = locks.request(name, requestId);
    if (request === undefined || token === 0 || request.token !== token)
      return refused("LOCK_LOST", lockLostText(name), { lock: name });
    locks.renew(request);
    return { ok: true, kind: "Done", changed: true };
  },
});

/** What is said of a lock that its holder has lost. */
export function lockLostText(name: string): string {
  return `Lock ${name} is lost: its lease was over, or somebody took it. Stop what needs it, and acquire it again.`;
}
