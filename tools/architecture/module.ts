// What the rules of the architecture need to know of a module, read from its syntax tree.

import { parseAst } from "vitest/node";

/** One import, export-from, dynamic import or import type. */
export interface Import {
  readonly specifier: string;
  /** Gone at run time. */
  readonly typeOnly: boolean;
}

export interface Module {
  /** Path from the repository's root, with `/`. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Every name used as a variable or a type; names of members and properties are not. `Math.random` is there as a whole. */
  readonly names: ReadonlySet<string>;
  /** Has an async function, an await or a `for await`. */
  readonly asynchronous: boolean;
  /** Has an `export * from`. */
  readonly exportsAll: boolean;
}

interface SyntaxNode {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Reads one module. Throws when it is not TypeScript. */
export function readModule(path: string, text: string): Module {
  const imports: Import[] = [];
  const names = new Set<string>();
  let asynchronous = false;
  let exportsAll = false;

  const visit = (node: SyntaxNode): void => {
    if (isNode(node.source) && typeof node.source.value === "string") {
      imports.push({ specifier: node.source.value, typeOnly: isTypeOnly(node) });
    }
    if (node.type === "ExportAllDeclaration" && node.exported === null) exportsAll = true;
    if (node.async === true || node.type === "AwaitExpression" || node.await === true) asynchronous = true;
    if (node.type === "Identifier") names.add(String(node.name));
    const member = memberName(node);
    if (member !== undefined) names.add(member);
    for (const [key, child] of Object.entries(node)) {
      if (isPropertyName(node, key)) continue;
      for (const each of Array.isArray(child) ? child : [child]) if (isNode(each)) visit(each);
    }
  };
  visit(parseAst(text, { lang: "ts" }) as unknown as SyntaxNode);
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return { path, lines, imports, names, asynchronous, exportsAll };
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function isTypeOnly(node: SyntaxNode): boolean {
  if (node.type === "TSImportType" || node.importKind === "type" || node.exportKind === "type") return true;
  const specifiers = node.specifiers;
  if (!Array.isArray(specifiers) || specifiers.length === 0) return false;
  return specifiers.every((each) => isNode(each) && (each.importKind === "type" || each.exportKind === "type"));
}

function memberName(node: SyntaxNode): string | undefined {
  const { object, property } = node;
  if (node.type !== "MemberExpression" || node.computed === true || !isNode(object) || !isNode(property))
    return undefined;
  return object.type === "Identifier" ? `${String(object.name)}.${String(property.name)}` : undefined;
}

/** Whether `key` of `node` holds the name of a member, which is not a use of a variable of that name. */
function isPropertyName(node: SyntaxNode, key: string): boolean {
  if (node.computed === true) return false;
  return key === "property" || key === "key" || (node.type === "TSQualifiedName" && key === "right");
}
