import type { RuleId } from "../rules.ts";
import type { CallNode } from "../syntax/nodes.ts";
import type { Value } from "../values/value.ts";

/** Something that may give another result at each execution. */
export interface Impurity {
  readonly rule: RuleId;
  /** As the message names it: `Date.now()`, `readFile() of node:fs`. */
  readonly name: string;
}

/** A value with a place of its own outside of the file. */
export type NamedValue = Value & { readonly type: "external" | "global" };

/** Says whether a call is impure. `path` is without `.call` and `.apply`. */
export type CallJudge = (callee: NamedValue, path: string, call: CallNode) => Impurity | undefined;

/** As a message names a call. */
export function callName(callee: NamedValue, path: string, call?: CallNode): string {
  const shown = `${call?.type === "NewExpression" ? "new " : ""}${path}()`;
  if (callee.type === "global") return shown;
  return path === "" ? `${callee.specifier}()` : `${shown} of ${callee.specifier}`;
}
