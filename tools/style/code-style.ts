// Rules of style that a syntax tree shows: `test(`, `#` fields, names of files, and their length.

import type { Node } from "@babel/types";
import { lineOf, type Source, walk } from "./source.ts";

const MAX_LINES = 400;
const EMPTY_NAME = /(^|[/.-])(utils?|helpers?|common|impl)([/.-]|$)/;

/** What a file breaks, one line each. */
export function styleProblems(source: Source): readonly string[] {
  const problems: string[] = [];
  const lines = source.text.split("\n").length - (source.text.endsWith("\n") ? 1 : 0);
  if (lines > MAX_LINES) problems.push(`has ${lines} lines; split it: ${MAX_LINES} at most`);
  if (EMPTY_NAME.test(source.path)) problems.push("has a name that says nothing; name it after what it does");
  for (const statement of source.statements) walk(statement, (node) => problems.push(...nodeProblems(node)));
  return problems.map((problem) => `${source.path}: ${problem}`);
}

function nodeProblems(node: Node): readonly string[] {
  if (node.type === "ImportDeclaration" && node.source.value === "vitest") {
    const names = node.specifiers.flatMap((each) =>
      each.type === "ImportSpecifier" && each.imported.type === "Identifier" ? [each.imported.name] : [],
    );
    return names.includes("it") ? [`line ${lineOf(node)}: imports \`it\`; use \`test\``] : [];
  }
  // A constructor has no other way to be private.
  const isConstructor = "kind" in node && node.kind === "constructor";
  if ("accessibility" in node && node.accessibility === "private" && !isConstructor) {
    return [`line ${lineOf(node)}: has a private member; begin its name with # instead`];
  }
  return [];
}
