// A TypeScript file as the rules of style read it: its syntax tree, with each comment at the node that it precedes.

import { type ParserOptions, parse } from "@babel/parser";
import type { Comment, File, Node, Statement } from "@babel/types";

/** One parsed file. */
export interface Source {
  /** Path from the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly statements: readonly Statement[];
  readonly comments: readonly Comment[];
}

const OPTIONS: ParserOptions = { sourceType: "module", plugins: ["typescript"], attachComment: true };

/** Parses a file. Throws when it is not TypeScript. */
export function readSource(path: string, text: string): Source {
  const file: File = parse(text, OPTIONS);
  return { path, text, statements: file.program.body, comments: file.comments ?? [] };
}

/** Calls `visit` with a node and with everything below it. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const [key, value] of Object.entries(node)) {
    if (key === "leadingComments" || key === "trailingComments" || key === "innerComments") continue;
    for (const each of Array.isArray(value) ? value : [value]) if (isNode(each)) walk(each, visit);
  }
}

/** The line that a node or a comment begins in. */
export function lineOf({ loc }: Pick<Node | Comment, "loc">): number {
  return loc?.start.line ?? 0;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}
