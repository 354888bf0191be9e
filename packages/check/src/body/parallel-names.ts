/**
 * Names that parallel branches use after an await.
 *
 * Calls of one name are counted in the order in which they are made. Branches that start together make their calls up to
 * their first await in the order of the source: those counts are the same in each run. After an await, the branch whose
 * answer comes first makes its next call first.
 *
 * N1. A name is reported only when at least two branches use it, in one context, after an await of their own.
 */
import type { Node } from "@babel/types";
import type { SourceModule } from "../modules/source-module.ts";
import { calledMember, isCall, isFunction, isLoop, unwrap } from "../syntax/nodes.ts";
import type { ContextId } from "../values/value.ts";

/** A context call with a name that the source says. */
export interface NamedCall {
  readonly context: ContextId;
  readonly method: string;
  readonly name: string;
  readonly node: Node;
  readonly module: SourceModule;
  /** Whether the function that makes the call has awaited something before. */
  readonly isAfterAwait: boolean;
}

/** Calls that run beside those of other branches. */
export interface Branch {
  readonly calls: readonly NamedCall[];
  /** Whether the branch is started several times, as by `map`. */
  readonly isRepeated: boolean;
}

/** The calls of `branches` that are counted in an order which the source does not say; one for each place in the source. */
export function unorderedCalls(branches: readonly Branch[]): readonly NamedCall[] {
  const users = new Map<string, { readonly call: NamedCall; readonly branch: Branch }[]>();
  for (const branch of branches) {
    for (const call of branch.calls) {
      if (!call.isAfterAwait) continue;
      const key = `${call.context} ${call.method === "scope" ? "scope" : "call"} ${call.name}`;
      const known = users.get(key);
      if (known === undefined) users.set(key, [{ call, branch }]);
      else known.push({ call, branch });
    }
  }
  const found = new Map<Node, NamedCall>();
  for (const uses of users.values()) {
    const [first] = uses;
    if (first === undefined) continue;
    const others = uses.filter(({ branch }) => branch !== first.branch);
    if (first.branch.isRepeated) found.set(first.call.node, first.call);
    for (const { call } of others) found.set(call.node, call);
  }
  return [...found.values()];
}

const KEEPS_BRANCHES = new Set(["concat", "filter", "flat", "reverse", "slice", "toReversed"]);

/**
 * The branches that an expression starts: the elements of an array, what was pushed into one, the calls of a `map`.
 * `started` has the branches of the calls of this function.
 */
export function branchesOf(
  node: Node,
  module: SourceModule,
  started: ReadonlyMap<Node, readonly Branch[]>,
): readonly Branch[] {
  const seen = new Set<Node>();
  const collect = (from: Node): readonly Branch[] => {
    const expression = unwrap(from);
    if (seen.has(expression)) return [];
    seen.add(expression);
    switch (expression.type) {
      case "ArrayExpression":
        return expression.elements.flatMap((element) => (element === null ? [] : collect(element)));
      case "SpreadElement":
        return collect(expression.argument);
      case "ConditionalExpression":
        return [...collect(expression.consequent), ...collect(expression.alternate)];
      case "LogicalExpression":
        return [...collect(expression.left), ...collect(expression.right)];
      case "Identifier":
        return stored(expression);
      default: {
        if (!isCall(expression)) return [];
        const known = started.get(expression);
        if (known !== undefined) return known;
        const member = calledMember(expression);
        if (member === undefined || !KEEPS_BRANCHES.has(member.name)) return [];
        return [member.object, ...expression.arguments].flatMap(collect);
      }
    }
  };
  const stored = (name: Node & { type: "Identifier" }): readonly Branch[] => {
    const binding = module.bindingOf(name);
    if (binding?.origin.type !== "init" || binding.origin.path.length > 0) return [];
    const pushed = binding.reads.flatMap((read) => {
      const member = module.tree.parentOf(read);
      const call = member === undefined ? undefined : module.tree.parentOf(member);
      if (call === undefined || !isCall(call) || call.callee !== member || calledMember(call)?.name !== "push")
        return [];
      const isRepeated = isInLoop(call, binding.declaration, module);
      return call.arguments
        .flatMap(collect)
        .map((branch) => ({ ...branch, isRepeated: branch.isRepeated || isRepeated }));
    });
    return [...collect(binding.origin.init), ...pushed];
  };
  return collect(node);
}

/** Whether `node` runs several times for one run of `declaration`. */
function isInLoop(node: Node, declaration: Node, module: SourceModule): boolean {
  for (let up = module.tree.parentOf(node); up !== undefined; up = module.tree.parentOf(up)) {
    if (module.tree.contains(up, declaration)) return false;
    if (isLoop(up) || isFunction(up)) return true;
  }
  return false;
}
