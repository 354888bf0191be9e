/** For how long finished runs are kept, as a node is told. */
import { RaftError } from "@raftoral/raft-core";
import { RETENTION_OUTCOMES, type TimedRule } from "../model/retention-rule.ts";
import type { OutcomeStatus } from "../model/runs/run-outcome.ts";

/** How long runs of a type, or of an outcome, are kept. Give all nodes the same rules. */
export interface RetentionRule {
  /** Type of the runs; every type by default. */
  readonly workflowType?: string;
  /** How they ended: completed, failed or cancelled; in any way by default. */
  readonly outcome?: OutcomeStatus;
  /** How long they are kept at least after their end, in ms of time in which a node led. */
  readonly keepMs: number;
}

/** Rules that a node takes at most. */
export const MAX_RETENTION_RULES = 64;
const MAX_TYPE_LENGTH = 200;
/** What a command can say. */
const MAX_KEEP_MS = 2 ** 52;

/** Rules as commands have them. Throws CONFIG_INVALID for one that says nothing that can be done. */
export function timedRules(rules: readonly RetentionRule[] = []): readonly TimedRule[] {
  if (!Array.isArray(rules) || rules.length > MAX_RETENTION_RULES)
    throw invalid(rules, `The retention is a list of at most ${MAX_RETENTION_RULES} rules. Give a shorter list.`);
  return rules.map((rule: RetentionRule) => {
    const { workflowType = "", outcome, keepMs } = rule;
    if (typeof workflowType !== "string" || workflowType.length > MAX_TYPE_LENGTH)
      throw invalid(
        rule,
        `A rule of the retention has a workflowType that is none. Give text of at most ${MAX_TYPE_LENGTH} characters.`,
      );
    const named = RETENTION_OUTCOMES.find((each) => each === (outcome ?? "any"));
    if (named === undefined)
      throw invalid(rule, "A rule of the retention has an outcome that is none. Give completed, failed or cancelled.");
    if (typeof keepMs !== "number" || !Number.isFinite(keepMs) || keepMs <= 0)
      throw invalid(rule, `A rule of the retention has the keepMs ${String(keepMs)}. Give a finite number above 0.`);
    return { workflowType, outcome: named, retentionMs: Math.ceil(Math.min(keepMs, MAX_KEEP_MS)) };
  });
}

function invalid(value: unknown, message: string): RaftError {
  return new RaftError("CONFIG_INVALID", message, { details: { option: "retention", value } });
}
