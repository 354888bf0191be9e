/** LockDelete: forgets the definition of a lock. What holds it or waits for it goes on, with the limits that code names from then on. */
import { optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/** Forgets a definition. Answered with Done. Refused with LOCK_NOT_FOUND. */
export interface LockDelete {
  readonly kind: "LockDelete";
  readonly name: string;
  readonly atMs: number;
  readonly by?: string;
  readonly reason?: string;
}

export const lockDelete = defineCommand<LockDelete, Done>({
  kind: "LockDelete",
  field: 74,
  summary: "Forgets the definition of a lock or a limiter.",
  maxRuns: 0,
  fields: { name: string(1), atMs: uint(2), by: optional(string(BY_FIELD)), reason: optional(string(REASON_FIELD)) },
  audited: ({ name }) => ({ action: "delete-lock", subject: name, detail: "" }),
  apply({ locks }, { name }) {
    const known = locks.get(name);
    if (known === undefined) {
      return refused(
        "LOCK_NOT_FOUND",
        `There is no lock ${name}: no one has defined it, and no one uses it. Check the name.`,
        {
          lock: name,
        },
      );
    }
    return { ok: true, kind: "Done", changed: locks.limit(known, known.limits, false, known.generation) !== known };
  },
});
