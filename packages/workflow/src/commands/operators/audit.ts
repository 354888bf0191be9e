/** Audit: records what an operator did that is no command of this log, such as a change of the membership. */
import type { AuditedAction } from "../../state/operators/audit-log.ts";
import { string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import type { Done } from "../results.ts";
import { BY_FIELD, REASON_FIELD } from "./operated.ts";

/** Writes an entry of the audit. Answered with Done. Proposed after what it says was done. */
export interface Audit extends AuditedAction {
  readonly kind: "Audit";
  readonly atMs: number;
  readonly by: string;
  readonly reason: string;
}

export const audit = defineCommand<Audit, Done>({
  kind: "Audit",
  field: 61,
  summary: "Records who has changed the cluster, and why.",
  maxRuns: 0,
  fields: {
    action: string(1),
    subject: string(2),
    detail: string(3),
    atMs: uint(4),
    by: string(BY_FIELD),
    reason: string(REASON_FIELD),
  },
  audited: ({ action, subject, detail }) => ({ action, subject, detail }),
  apply: () => ({ ok: true, kind: "Done", changed: true }),
});
