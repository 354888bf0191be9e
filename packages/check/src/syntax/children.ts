/**
 * The parts of a node that exist at run time: no types, and no identifier that is a name and not a reference (keys, labels,
 * members, names of imports and exports).
 */
import type { Node } from "@babel/types";

/** Fields that hold types, positions, comments and other remarks of the parser. */
const NOT_CODE = new Set([
  "errors",
  "extra",
  "implements",
  "innerComments",
  "leadingComments",
  "loc",
  "predicate",
  "returnType",
  "superTypeArguments",
  "superTypeParameters",
  "trailingComments",
  "typeAnnotation",
  "typeArguments",
  "typeParameters",
]);

/** The nodes of TypeScript that are more than types. */
const CODE_OF_TYPESCRIPT = new Set([
  "TSAsExpression",
  "TSEnumBody",
  "TSEnumDeclaration",
  "TSEnumMember",
  "TSExportAssignment",
  "TSInstantiationExpression",
  "TSModuleBlock",
  "TSModuleDeclaration",
  "TSNonNullExpression",
  "TSParameterProperty",
  "TSSatisfiesExpression",
  "TSTypeAssertion",
]);

const NO_CODE = new Set([
  "BreakStatement",
  "ContinueStatement",
  "ExportAllDeclaration",
  "ImportDeclaration",
  "JSXClosingElement",
  "JSXIdentifier",
  "JSXMemberExpression",
  "JSXNamespacedName",
  "MetaProperty",
  "TSImportEqualsDeclaration",
]);

/** Children of `node` in the order of the source. */
export function childrenOf(node: Node): Node[] {
  if (NO_CODE.has(node.type)) return [];
  const skipped = nameField(node);
  const children: Node[] = [];
  for (const [field, value] of Object.entries(node)) {
    if (typeof value !== "object" || value === null || field === skipped || NOT_CODE.has(field)) continue;
    if (Array.isArray(value)) for (const each of value) addCode(children, each);
    else addCode(children, value);
  }
  return children.sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
}

function addCode(children: Node[], value: unknown): void {
  if (isNode(value) && isCode(value)) children.push(value);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function isCode(node: Node): boolean {
  if ("declare" in node && node.declare === true) return false;
  return !node.type.startsWith("TS") || CODE_OF_TYPESCRIPT.has(node.type);
}

/** The field that names something and refers to nothing. */
function nameField(node: Node): string | undefined {
  switch (node.type) {
    case "MemberExpression":
    case "OptionalMemberExpression":
      return node.computed ? undefined : "property";
    case "ClassAccessorProperty":
    case "ClassMethod":
    case "ClassProperty":
    case "ObjectMethod":
    case "ObjectProperty":
      return node.computed === true ? undefined : "key";
    case "ClassPrivateMethod":
    case "ClassPrivateProperty":
      return "key";
    case "LabeledStatement":
      return "label";
    case "TSEnumMember":
    case "TSModuleDeclaration":
      return "id";
    case "ExportSpecifier":
      return "exported";
    case "JSXAttribute":
    case "JSXOpeningElement":
      return "name";
    default:
      return undefined;
  }
}
