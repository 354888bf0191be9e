import type { Expression, Identifier, Node } from "@babel/types";
import type { FunctionNode } from "../syntax/nodes.ts";

/** The way from a value to what a pattern takes from it: `b` and 0 for `const { b: [x] } = value`. */
export type PatternPath = readonly (string | number)[];

/** Where the value of a binding comes from, as far as the file says. */
export type Origin =
  /** `import { imported } from "specifier"`; `*` for the namespace. */
  | { readonly type: "import"; readonly specifier: string; readonly imported: string }
  /** `const x = init`, or `path` within `init` for a pattern. */
  | { readonly type: "init"; readonly init: Expression; readonly path: PatternPath }
  | { readonly type: "function"; readonly fn: FunctionNode }
  /** The parameter `index` of `fn`, or `path` within it. */
  | { readonly type: "parameter"; readonly fn: FunctionNode; readonly index: number; readonly path: PatternPath }
  /** A class, an enum, a caught error, a loop's variable, a rest element: nothing is known. */
  | { readonly type: "unknown" };

/** One name in one scope. */
export interface Binding {
  readonly name: string;
  readonly origin: Origin;
  /** The function whose code declares the name; undefined for a name of the module. For a parameter, the function itself. */
  readonly fn: FunctionNode | undefined;
  /** The identifier that declares the name. */
  readonly declaration: Node;
  /** Where the value is read. */
  readonly reads: Identifier[];
  /** How often the name is assigned to after its declaration. */
  writes: number;
}
