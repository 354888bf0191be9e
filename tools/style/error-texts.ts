// The texts of the project's errors: those that are written where an error of the family of RaftoralError is made.
//
// 1. A text begins with a capital letter, or with what it is about: a name, an option, a file, a value.
// 2. It ends with a full stop, or with a value whose own text ends it.
// 3. It says what to do. A program cannot see advice; it sees that there is a second sentence or a clause after a semicolon, which is where advice stands,
//    or a value at the end, which may have it.
//
// Read are the texts in `new SomeError(code, text)`, in `super(code, text)` of a class of the family, and in calls of functions whose parameter becomes such a
// text. A text that is made elsewhere is not seen.

import type { CallExpression, Expression, FunctionDeclaration, Node } from "@babel/types";
import { lineOf, type Source, walk } from "./source.ts";

const BASE = "RaftoralError";
/** Stands for a value within a text. */
const VALUE = "\u{FFFC}";
const CODE = /^[A-Z][A-Z0-9_]+$/;

/** One text, with {@link VALUE} for every value in it. */
export interface ErrorText {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** Names of the classes that descend from RaftoralError, in any of the files. */
export function errorFamily(sources: readonly Source[]): ReadonlySet<string> {
  const bases = new Map<string, string>();
  for (const source of sources) {
    visit(source, (node) => {
      if (node.type !== "ClassDeclaration" || node.id == null || node.superClass?.type !== "Identifier") return;
      bases.set(node.id.name, node.superClass.name);
    });
  }
  const family = new Set([BASE]);
  const descends = (name: string, seen: readonly string[] = []): boolean => {
    const base = bases.get(name);
    if (family.has(name) || base === undefined || seen.includes(name)) return family.has(name);
    return descends(base, [...seen, name]);
  };
  for (const name of bases.keys()) if (descends(name)) family.add(name);
  return family;
}

/** The texts of the errors of a family in files that belong together: a function of one file may be called in another. */
export function errorTexts(sources: readonly Source[], family: ReadonlySet<string>): readonly ErrorText[] {
  const makers = textMakers(sources, family);
  return sources.flatMap((source) => {
    const found: ErrorText[] = [];
    const add = (node: Node, expressions: readonly Expression[]): void => {
      for (const text of expressions.flatMap(textsOf)) {
        if (!CODE.test(text) && text !== VALUE) found.push({ path: source.path, line: lineOf(node), text });
      }
    };
    visit(source, (node) => {
      add(node, textArguments(node, source, family, makers));
      for (const call of superCalls(node, family)) add(call, call.arguments.filter(isExpression));
    });
    return found;
  });
}

/** What is wrong with a text; undefined when nothing is. */
export function textProblem(text: string): string | undefined {
  const first = text.split(" ")[0] ?? "";
  if (/^[a-z]+[,;:]?$/.test(first)) return "begins with a small letter";
  if (!/[.]$/.test(text) && !text.endsWith(VALUE)) return "does not end with a full stop";
  if (!/[.;]\)?\s+\S/.test(text) && !new RegExp(`${VALUE}[.]?$`).test(text)) return "does not say what to do";
  return undefined;
}

/** A text as a person reads it. */
export function shown(text: string): string {
  return text.replaceAll(VALUE, "{}");
}

/** Functions of which a parameter becomes the text of an error: position of the parameter, by name. */
interface TextMakers {
  /** Those that each file declares; undefined for a function that makes no text. */
  readonly local: ReadonlyMap<Source, ReadonlyMap<string, number | undefined>>;
  /** Those that other files may import. */
  readonly exported: ReadonlyMap<string, number>;
}

function textMakers(sources: readonly Source[], family: ReadonlySet<string>): TextMakers {
  const exported = new Map<string, number>();
  const local = new Map<Source, ReadonlyMap<string, number | undefined>>();
  for (const source of sources) {
    const own = new Map<string, number | undefined>();
    for (const statement of source.statements) {
      const isExport = statement.type === "ExportNamedDeclaration";
      const declaration = isExport ? statement.declaration : statement;
      if (declaration?.type !== "FunctionDeclaration" || declaration.id == null) continue;
      const at = textParameter(declaration, family);
      own.set(declaration.id.name, at);
      if (isExport && at !== undefined) exported.set(declaration.id.name, at);
    }
    local.set(source, own);
  }
  return { local, exported };
}

function textParameter({ params, body }: FunctionDeclaration, family: ReadonlySet<string>): number | undefined {
  let found: number | undefined;
  walk(body, (node) => {
    if (!isNewError(node, family)) return;
    for (const argument of node.arguments) {
      const at = params.findIndex(
        (each) => each.type === "Identifier" && argument.type === "Identifier" && each.name === argument.name,
      );
      const parameter = params[at];
      if (parameter !== undefined && isString(parameter)) found = at;
    }
  });
  return found;
}

function textArguments(
  node: Node,
  source: Source,
  family: ReadonlySet<string>,
  { local, exported }: TextMakers,
): readonly Expression[] {
  if (isNewError(node, family)) return node.arguments.filter(isExpression);
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier") return [];
  const own = local.get(source);
  const { name } = node.callee;
  const argument = node.arguments[(own?.has(name) === true ? own.get(name) : exported.get(name)) ?? -1];
  return argument !== undefined && isExpression(argument) ? [argument] : [];
}

function isNewError(node: Node, family: ReadonlySet<string>): node is Node & { type: "NewExpression" } {
  return node.type === "NewExpression" && node.callee.type === "Identifier" && family.has(node.callee.name);
}

/** The calls of `super` in a class of the family. */
function superCalls(node: Node, family: ReadonlySet<string>): readonly CallExpression[] {
  if (node.type !== "ClassDeclaration" || node.superClass?.type !== "Identifier") return [];
  if (!family.has(node.superClass.name)) return [];
  const found: CallExpression[] = [];
  walk(node.body, (inner) => {
    if (inner.type === "CallExpression" && inner.callee.type === "Super") found.push(inner);
  });
  return found;
}

/** Every text that an expression can be; none for one that is no text as it stands. */
function textsOf(node: Expression): readonly string[] {
  switch (node.type) {
    case "StringLiteral":
      return [node.value];
    case "TemplateLiteral":
      return [node.quasis.map(({ value }) => value.cooked ?? "").join(VALUE)];
    case "ConditionalExpression":
      return [...textsOf(node.consequent), ...textsOf(node.alternate)];
    case "BinaryExpression": {
      if (node.operator !== "+" || !isExpression(node.left)) return [];
      const [left, right] = [textsOf(node.left), textsOf(node.right)];
      if (left.length === 0 && right.length === 0) return [];
      const [heads, tails] = [left.length > 0 ? left : [VALUE], right.length > 0 ? right : [VALUE]];
      return heads.flatMap((head) => tails.map((tail) => head + tail));
    }
    default:
      return [];
  }
}

function isString(node: Node): boolean {
  if (node.type !== "Identifier" || node.typeAnnotation?.type !== "TSTypeAnnotation") return false;
  return node.typeAnnotation.typeAnnotation.type === "TSStringKeyword";
}

function isExpression(node: Node): node is Expression {
  return node.type !== "SpreadElement" && node.type !== "ArgumentPlaceholder" && node.type !== "PrivateName";
}

function visit(source: Source, each: (node: Node) => void): void {
  for (const statement of source.statements) walk(statement, each);
}
