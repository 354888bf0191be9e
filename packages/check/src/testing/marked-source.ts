/**
 * Sources for tests that say themselves what must be found: `//! RULE, RULE` at the end of a line names the rules of the
 * findings on that line, each as often as it is found.
 */
import { expect } from "vitest";
import { checkSource } from "../check-files.ts";
import type { CheckReport } from "../report.ts";

/** A module with one workflow whose body is `body`; `before` are further lines of the module. */
export function moduleWith(body: string, before = ""): string {
  return `import { workflow } from "raftoral";\n${before}\nexport default workflow("w", { version: 1 }, async (ctx, input) => {\n${body}\n});\n`;
}

/** Checks a source and expects exactly what its marks say. */
export function expectMarked(source: string, path?: string): void {
  const report = checkSource(source, path);
  expect(report.failures.map(({ message }) => message)).toEqual([]);
  expect(report.workflows.length, "workflows found").toBeGreaterThan(0);
  expect(foundIn(report), source).toEqual(markedIn(source));
}

function foundIn({ findings }: CheckReport): readonly string[] {
  return findings.map(({ line, rule }) => `line ${line}: ${rule}`).toSorted(byLine);
}

function markedIn(source: string): readonly string[] {
  return source
    .split("\n")
    .flatMap((text, at) => {
      const rules = text.split("//!")[1]?.split(",") ?? [];
      return rules.map((rule) => `line ${at + 1}: ${rule.trim()}`);
    })
    .toSorted(byLine);
}

function byLine(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
