/** Collects findings, each place and rule once. */
import type { Node } from "@babel/types";
import type { SourceModule } from "../modules/source-module.ts";
import type { Finding, Location } from "../report.ts";
import { RULES, type RuleId } from "../rules.ts";

/** What a finding says beside its rule and place. */
export interface FindingDetails {
  readonly message: string;
  readonly workflow: string | undefined;
  readonly calledFrom: Location | undefined;
}

/** The findings of one check, in the order in which they were found. */
export class Findings {
  readonly #found = new Map<string, Finding>();

  add(rule: RuleId, location: Location, { message, workflow, calledFrom }: FindingDetails): void {
    const { path, line, column } = location;
    const key = JSON.stringify([path, line, column, rule]);
    if (this.#found.has(key)) return;
    this.#found.set(key, {
      path,
      line,
      column,
      rule,
      message,
      advice: RULES[rule].advice,
      ...(workflow === undefined ? {} : { workflow }),
      ...(calledFrom === undefined ? {} : { calledFrom }),
    });
  }

  addAll(findings: Iterable<Finding>): void {
    for (const finding of findings) {
      const { message, workflow, calledFrom } = finding;
      this.add(finding.rule, finding, { message, workflow, calledFrom });
    }
  }

  all(): readonly Finding[] {
    return [...this.#found.values()];
  }
}

/** Where a node begins. */
export function locationOf(node: Node, module: SourceModule): Location {
  const start = node.loc?.start;
  return { path: module.path, line: start?.line ?? 1, column: (start?.column ?? 0) + 1 };
}
