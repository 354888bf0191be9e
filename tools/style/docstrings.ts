// Which exported classes, functions, interfaces and types have no docstring, so that an editor shows nothing when a reader points at them.
//
// A docstring is the block `/** ... */` right before the declaration, or before a comment that turns a rule of the linter off. A constant whose value is a function counts as one. Where a function has overloads,
// each of them needs a docstring, since an editor shows that of the one that is called; the implementation is never seen. Options have a check of their
// own (tools/docs/options.test.ts), because docs/options.md is made of their docstrings.

import type { Declaration, Node } from "@babel/types";
import { lineOf, type Source } from "./source.ts";

/** Says nothing where a reader points at the name: the file's head is elsewhere. */
const POINTER = /See the (file's )?head( of the file)?\./;

/** What a file exports that needs a docstring. */
export interface Exported {
  readonly name: string;
  readonly line: number;
  readonly isDocumented: boolean;
  /** Whether it is an interface or a type. */
  readonly isType: boolean;
}

/** The exported classes, functions, interfaces and types of a file, in their order. */
export function exportedOf(source: Source): readonly Exported[] {
  const exportedNames = new Set(source.statements.flatMap(locallyExported));
  const found: (Exported & { readonly isOverload: boolean })[] = [];
  for (const statement of source.statements) {
    const isExport = statement.type === "ExportNamedDeclaration";
    const declaration = isExport ? statement.declaration : (statement as Declaration);
    if (declaration === null || declaration === undefined) continue;
    for (const name of namesOf(declaration)) {
      if (!isExport && !exportedNames.has(name)) continue;
      const isDocumented = hasDocstring(statement);
      const isOverload = declaration.type === "TSDeclareFunction";
      found.push({ name, line: lineOf(statement), isDocumented, isType: isType(declaration), isOverload });
    }
  }
  const overloaded = new Set(found.filter(({ isOverload }) => isOverload).map(({ name }) => name));
  return found
    .filter(({ name, isOverload }) => isOverload || !overloaded.has(name))
    .map(({ isOverload: _, ...exported }) => exported);
}

/** Names that `export { a, b }` gives away of the file's own declarations. */
function locallyExported(statement: Node): readonly string[] {
  if (statement.type !== "ExportNamedDeclaration" || statement.source != null) return [];
  return statement.specifiers.flatMap((each) => (each.type === "ExportSpecifier" ? [each.local.name] : []));
}

function isType({ type }: Declaration): boolean {
  return type === "TSInterfaceDeclaration" || type === "TSTypeAliasDeclaration";
}

/** The classes, functions, interfaces and types that a declaration declares. */
function namesOf(declaration: Declaration): readonly string[] {
  switch (declaration.type) {
    case "ClassDeclaration":
    case "FunctionDeclaration":
    case "TSDeclareFunction":
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return declaration.id == null ? [] : [declaration.id.name];
    case "VariableDeclaration":
      return declaration.declarations.flatMap(({ id, init }) => {
        const isFunction = init?.type === "ArrowFunctionExpression" || init?.type === "FunctionExpression";
        return isFunction && id.type === "Identifier" ? [id.name] : [];
      });
    default:
      return [];
  }
}

function hasDocstring({ leadingComments }: Node): boolean {
  const last = leadingComments?.findLast(({ value }) => !value.startsWith(" biome-ignore "));
  return last?.type === "CommentBlock" && last.value.startsWith("*") && /\w/.test(last.value.replace(POINTER, ""));
}
