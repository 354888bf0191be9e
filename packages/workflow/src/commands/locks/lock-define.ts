/** LockDefine: gives a lock or a limiter limits that stand above those that code names (state/locks/asking.ts LA1). */
import { AS_KNOWN, isAsKnown, isLimiter, type LockLimits, limitsProblem, lockLimitsCodec } from "../../model/lock.ts";
import { lockNameProblem } from "../../state/locks/asking.ts";
import { MAX_LOCKS } from "../../state/locks/lock-table.ts";
import { message, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/**
 * Defines a lock. Answered with Done; `changed` is false when it is so already. Refused with NAME_INVALID, COMMAND_INVALID for limits that are none, LOCK_LIMIT_REACHED, or
 * LOCK_CONFLICT for a lock in use that would become a limiter, or the other way round.
 */
export interface LockDefine {
  readonly kind: "LockDefine";
  readonly name: string;
  readonly limits: LockLimits;
  readonly atMs: number;
  readonly by?: string;
  readonly reason?: string;
}

export const lockDefine = defineCommand<LockDefine, Done>({
  kind: "LockDefine",
  field: 73,
  summary: "Gives a lock or a limiter other limits than code names.",
  maxRuns: 0,
  fields: {
    name: string(1),
    limits: message(2, lockLimitsCodec, AS_KNOWN),
    atMs: uint(3),
    by: optional(string(BY_FIELD)),
    reason: optional(string(REASON_FIELD)),
  },
  audited: ({ name, limits }) => ({ action: "limit-lock", subject: name, detail: textOf(limits) }),
  apply(tables, { name, limits }) {
    const { locks } = tables;
    const nameProblem = lockNameProblem(name);
    if (nameProblem !== undefined) return refused(nameProblem.code, nameProblem.message);
    const problem = isAsKnown(limits) ? "It has no limits. Give permits or a rate." : limitsProblem(limits);
    if (problem !== undefined) return refused("COMMAND_INVALID", `Lock ${name} cannot be defined. ${problem}`);
    const known = locks.get(name);
    if (known === undefined && locks.count >= MAX_LOCKS) {
      return refused(
        "LOCK_LIMIT_REACHED",
        `The cluster has ${MAX_LOCKS} locks, as many as it may. Delete one that is not used.`,
      );
    }
    if (known !== undefined && isLimiter(known.limits) !== isLimiter(limits)) {
      return refused(
        "LOCK_CONFLICT",
        `The name ${name} is in use for ${isLimiter(limits) ? "a lock" : "a limiter"}. Delete it, wait until no one uses it, or choose another name.`,
        { lock: name },
      );
    }
    const lock = known ?? locks.create(name, limits, tables.nextEpoch());
    const next = locks.limit(lock, limits, true, tables.nextEpoch());
    return { ok: true, kind: "Done", changed: next !== lock };
  },
});

function textOf({ permits, rateLimit, ratePeriodMs, burst }: LockLimits): string {
  return rateLimit > 0 ? `${rateLimit} in ${ratePeriodMs} ms, ${burst} at once` : `${permits} permits`;
}
