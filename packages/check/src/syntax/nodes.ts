/** Small questions about nodes of the syntax tree. */
import type {
  ArrowFunctionExpression,
  CallExpression,
  ClassMethod,
  ClassPrivateMethod,
  FunctionDeclaration,
  FunctionExpression,
  NewExpression,
  Node,
  ObjectMethod,
  OptionalCallExpression,
  ParenthesizedExpression,
  TSAsExpression,
  TSInstantiationExpression,
  TSNonNullExpression,
  TSSatisfiesExpression,
  TSTypeAssertion,
} from "@babel/types";

/** A function of any kind. */
export type FunctionNode =
  | ArrowFunctionExpression
  | ClassMethod
  | ClassPrivateMethod
  | FunctionDeclaration
  | FunctionExpression
  | ObjectMethod;

/** A call, with or without `new` or `?.`. */
export type CallNode = CallExpression | NewExpression | OptionalCallExpression;

/** Whether a node is a function of any kind: declaration, expression, arrow, or method. */
export function isFunction(node: Node): node is FunctionNode {
  switch (node.type) {
    case "ArrowFunctionExpression":
    case "ClassMethod":
    case "ClassPrivateMethod":
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ObjectMethod":
      return true;
    default:
      return false;
  }
}

/** Whether a node is a call: of a function, an optional one, or of a constructor. */
export function isCall(node: Node): node is CallNode {
  return node.type === "CallExpression" || node.type === "OptionalCallExpression" || node.type === "NewExpression";
}

/** Whether a node is a loop statement. */
export function isLoop(node: Node): boolean {
  switch (node.type) {
    case "DoWhileStatement":
    case "ForInStatement":
    case "ForOfStatement":
    case "ForStatement":
    case "WhileStatement":
      return true;
    default:
      return false;
  }
}

/** An expression around another one that does not change its value. */
export type Wrapper =
  | ParenthesizedExpression
  | TSAsExpression
  | TSInstantiationExpression
  | TSNonNullExpression
  | TSSatisfiesExpression
  | TSTypeAssertion;

/** Whether `node` only wraps its `expression`: parentheses, and what TypeScript adds to an expression. */
export function isWrapper(node: Node): node is Wrapper {
  switch (node.type) {
    case "ParenthesizedExpression":
    case "TSAsExpression":
    case "TSInstantiationExpression":
    case "TSNonNullExpression":
    case "TSSatisfiesExpression":
    case "TSTypeAssertion":
      return true;
    default:
      return false;
  }
}

/** The expression inside of all wrappers. */
export function unwrap(node: Node): Node {
  let inner = node;
  while (isWrapper(inner)) inner = inner.expression;
  return inner;
}

/** The name of a property that is known without running the code: `a.b`, `a["b"]`, `{ b: 1 }`. Undefined for others. */
export function propertyName(key: Node, computed: boolean): string | undefined {
  if (key.type === "StringLiteral") return key.value;
  if (computed) return undefined;
  if (key.type === "Identifier") return key.name;
  if (key.type === "NumericLiteral") return String(key.value);
  return undefined;
}

/** The name of the member that a call calls: `map` of `items.map(...)`. Undefined for other callees. */
export function calledMember(call: CallNode): { readonly object: Node; readonly name: string } | undefined {
  const callee = unwrap(call.callee);
  if (callee.type !== "MemberExpression" && callee.type !== "OptionalMemberExpression") return undefined;
  const name = propertyName(callee.property, callee.computed);
  return name === undefined ? undefined : { object: callee.object, name };
}
