/** `new Promise((resolve) => ...)`: who settles the promise. */
import type { Node } from "@babel/types";
import { impureCall } from "../impurity/impure-call.ts";
import { type CallNode, calledMember, isCall } from "../syntax/nodes.ts";
import type { Evaluator, Place } from "../values/evaluator.ts";

/** Methods that keep a function, or call it in an order that the source says. */
const KNOWN_METHODS = new Set([...["add", "catch", "finally", "forEach", "map", "push", "set", "then", "unshift"]]);

/**
 * Whether `resolve` or `reject` is handed to code that is not in the files: `new Promise((resolve) => socket.once("data", resolve))`.
 * A promise whose `resolve` is kept, or called by the body itself, settles in the order of the body. Timers and the like are
 * left to their own rules.
 */
export function waitsForOutside(call: CallNode, place: Place, evaluator: Evaluator): boolean {
  const executor = evaluator.argumentsOf(call, place)(0);
  if (call.type !== "NewExpression" || executor?.type !== "function" || executor.module !== place.module) return false;
  const { fn, module } = executor;
  return module.scopes.parametersOf(fn).some((parameter) =>
    parameter.reads.some((read) => {
      let from: Node = read;
      for (let up = module.tree.parentOf(read); up !== undefined && up !== fn; up = module.tree.parentOf(up)) {
        if (isCall(up) && up.callee !== from && isOutside(up, place, evaluator)) return true;
        from = up;
      }
      return false;
    }),
  );
}

function isOutside(call: CallNode, place: Place, evaluator: Evaluator): boolean {
  const callee = evaluator.valueOf(call.callee, place);
  if (callee?.type === "external") return impureCall(callee, call) === undefined;
  if (callee?.type === "global")
    return impureCall(callee, call) === undefined && !/^(Promise(\.[a-z]+)?|queueMicrotask)$/i.test(callee.path);
  if (callee !== undefined) return false;
  const member = calledMember(call);
  if (member !== undefined) return !KNOWN_METHODS.has(member.name);
  // A name of the file that the check cannot look into, other than `resolve` and `reject` themselves.
  return call.callee.type !== "Identifier" || place.module.bindingOf(call.callee)?.origin.type !== "parameter";
}
