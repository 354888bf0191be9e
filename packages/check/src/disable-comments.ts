/**
 * Comments that say that a finding is meant:
 *
 *     // raftoral-check-disable-next-line RULE[, RULE] -- REASON
 *     // raftoral-check-disable-file RULE[, RULE] -- REASON
 */
import type { Comment } from "@babel/types";
import { isRuleId, type RuleId } from "./rules.ts";

const COMMENT = /^[\s*]*raftoral-check-disable-(\S+)([\s\S]*)$/;

/** One comment that disables rules. */
export interface DisableComment {
  readonly line: number;
  readonly column: number;
  readonly rules: readonly RuleId[];
  /** The line for which the rules are off; undefined for all of the file. */
  readonly target: number | undefined;
  /** What is wrong with the comment; a wrong comment disables nothing. */
  readonly problem: string | undefined;
}

/** The comments of one file that disable rules. */
export class DisableComments {
  /** In their order. */
  readonly all: readonly DisableComment[];
  /** By the line that they are for; undefined for those of the whole file. */
  readonly #byTarget: ReadonlyMap<number | undefined, readonly DisableComment[]>;

  constructor(comments: readonly Comment[]) {
    this.all = read(comments);
    this.#byTarget = Map.groupBy(this.all, ({ target }) => target);
  }

  /** The comments that take a finding on a line back. */
  disabling(rule: RuleId, line: number): readonly DisableComment[] {
    return [undefined, line]
      .flatMap((target) => this.#byTarget.get(target) ?? [])
      .filter(({ problem, rules }) => problem === undefined && rules.includes(rule));
  }
}

function read(comments: readonly Comment[]): readonly DisableComment[] {
  const found: DisableComment[] = [];
  // Comments may stand on several lines above the code that they are for: from the last to the first.
  let below: { readonly line: number; readonly target: number } | undefined;
  for (const comment of comments.toReversed()) {
    const match = comment.value.match(COMMENT);
    if (match === null || comment.loc == null) continue;
    const [, form = "", rest = ""] = match;
    const next = comment.loc.end.line + 1;
    const target = form === "next-line" ? (below?.line === next ? below.target : next) : undefined;
    if (target !== undefined) below = { line: comment.loc.start.line, target };
    const [names = "", ...reason] = rest.split(/\s--(?:\s|$)/);
    const rules = names.split(/[\s,]+/).filter((name) => name !== "");
    found.push({
      line: comment.loc.start.line,
      column: comment.loc.start.column + 1,
      rules: rules.filter(isRuleId),
      target,
      problem: problemOf(form, rules, reason.join(" ").trim()),
    });
  }
  return found.reverse();
}

function problemOf(form: string, rules: readonly string[], reason: string): string | undefined {
  if (form !== "next-line" && form !== "file") {
    return `raftoral-check-disable-${form} is no comment of the check; there are disable-next-line and disable-file.`;
  }
  const unknown = rules.find((rule) => !isRuleId(rule) || rule === "disable-comment");
  if (unknown !== undefined) return `${JSON.stringify(unknown)} is no rule that can be disabled.`;
  if (rules.length === 0) return "The comment names no rule.";
  return reason === "" ? 'The comment gives no reason; write " -- " and the reason after the rule.' : undefined;
}
