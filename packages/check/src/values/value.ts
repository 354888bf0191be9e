/** What an expression stands for, as far as the source says. */
import type { ObjectExpression } from "@babel/types";
import type { SourceModule } from "../modules/source-module.ts";
import type { FunctionNode } from "../syntax/nodes.ts";
import type { Frame } from "./frame.ts";

/** A context: that of a body or of one scope. Two contexts are the same when their names come from the same place. */
export type ContextId = number;

/** What the check knows of a value. */
export type Value =
  /** A name that no module declares, or a member of it: `Date.now`. `globalThis.` is left out. */
  | { readonly type: "global"; readonly path: string }
  /** An export of a package or of Node, or a member of one: `randomUUID` of `crypto`. `node:` is left out, "" is the whole module. */
  | { readonly type: "external"; readonly specifier: string; readonly path: string }
  /** All exports of a module that the check has read. */
  | { readonly type: "namespace"; readonly module: SourceModule }
  | FunctionValue
  | {
      readonly type: "object";
      readonly node: ObjectExpression;
      readonly module: SourceModule;
      readonly frame: Frame | undefined;
    }
  | { readonly type: "string"; readonly text: string }
  | { readonly type: "context"; readonly id: ContextId }
  /** A method of a context, with or without its context: `ctx.step`. */
  | { readonly type: "context-method"; readonly id: ContextId; readonly method: string }
  /** An object that a context gives to be called. */
  | { readonly type: "called-object"; readonly id: ContextId }
  /** A replicated variable, or a promise of one. */
  | { readonly type: "variable"; readonly awaited: boolean }
  | { readonly type: "variable-method"; readonly method: string };

/** A function together with what its names mean: `frame` is that of the function around it. */
export interface FunctionValue {
  readonly type: "function";
  readonly fn: FunctionNode;
  readonly module: SourceModule;
  readonly frame: Frame | undefined;
}
