/** For how long runs of a type, or of an outcome, are kept after their end. */
import { named, string, uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";
import { OUTCOMES, type OutcomeStatus } from "./runs/run-outcome.ts";

/** How a run must have ended for a rule; "any" for however it did. Positions are the numbers of `raftoral.RetentionOutcome`. */
export const RETENTION_OUTCOMES = ["any", ...OUTCOMES] as const;

/** A rule as commands have it. */
export interface TimedRule {
  /** Empty for any type. */
  readonly workflowType: string;
  readonly outcome: (typeof RETENTION_OUTCOMES)[number];
  /** In ms of uptime. */
  readonly retentionMs: number;
}

export const timedRuleCodec = messageCodec<TimedRule>(
  {
    workflowType: string(1),
    outcome: named(2, RETENTION_OUTCOMES, "outcome of a retention"),
    retentionMs: uint(3),
  },
  {},
);

/**
 * For how long runs of a type and an outcome are kept: by the rule that says most of them (type and outcome, then the type, then the outcome), by the first one of
 * equal rules, and by `otherwise` without one.
 */
export function retentionOf(
  rules: readonly TimedRule[],
  { workflowType, status }: { readonly workflowType: string; readonly status: OutcomeStatus },
  otherwise: number,
): number {
  let [best, retentionMs] = [0, otherwise];
  for (const rule of rules) {
    const fits = rule.workflowType === "" || rule.workflowType === workflowType;
    if (!fits || (rule.outcome !== "any" && rule.outcome !== status)) continue;
    const says = 1 + (rule.workflowType === "" ? 0 : 2) + (rule.outcome === "any" ? 0 : 1);
    if (says > best) [best, retentionMs] = [says, rule.retentionMs];
  }
  return retentionMs;
}
