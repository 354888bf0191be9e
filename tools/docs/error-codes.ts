// Error codes where they are declared, and where they are explained.

import { parseAst } from "vitest/node";

interface TypeNode {
  readonly type: string;
  readonly types?: readonly TypeNode[];
  readonly literal?: { readonly value?: unknown };
}

interface Statement {
  readonly type: string;
  readonly declaration?: Statement | null;
  readonly id?: { readonly name?: string };
  readonly typeAnnotation?: TypeNode;
}

/** The literal members of every exported union of a module whose name ends in `ErrorCode`. */
export function declaredCodes(text: string): readonly string[] {
  const program = parseAst(text, { lang: "ts" }) as unknown as { body: readonly Statement[] };
  return program.body.flatMap((statement) => {
    const alias = statement.declaration;
    if (alias?.type !== "TSTypeAliasDeclaration" || alias.id?.name?.endsWith("ErrorCode") !== true) return [];
    const union = alias.typeAnnotation;
    const members = union?.type === "TSUnionType" ? (union.types ?? []) : union === undefined ? [] : [union];
    return members.flatMap((member) => (typeof member.literal?.value === "string" ? [member.literal.value] : []));
  });
}

/** One `### CODE` of docs/errors.md. */
export interface ErrorEntry {
  readonly code: string;
  /** What the entry says, trimmed. */
  readonly text: string;
}

/** The entries of docs/errors.md by the package of their `##` section, without its scope: `raft-core`. */
export function explainedCodes(markdown: string): ReadonlyMap<string, readonly ErrorEntry[]> {
  const sections = new Map<string, readonly ErrorEntry[]>();
  for (const section of markdown.split(/^## /m).slice(1)) {
    const [title = "", ...entries] = section.split(/^### /m);
    const name = firstLine(title).replace(/^@raftoral\//, "");
    const known = sections.get(name) ?? [];
    sections.set(name, [...known, ...entries.map((entry) => ({ code: firstLine(entry), text: rest(entry) }))]);
  }
  return sections;
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").replaceAll("`", "").trim();
}

function rest(text: string): string {
  return text.split("\n").slice(1).join("\n").trim();
}
