/** Which programs can end in one way only. */
import { type Action, every, type Program } from "./program.ts";

/** Longer than anything in a program takes, in milliseconds: a time limit that cannot be over. */
export const UNHURRIED_MS = 365 * 86_400_000;

/** Whether the end and the records of a program follow from the program alone, whatever takes how long and however often an owner is replaced. */
export function isExact({ body, cancelling, notings = [] }: Program): boolean {
  return cancelling === undefined && notings.length === 0 && every(body, isExactAction);
}

function isExactAction(action: Action): boolean {
  switch (action.do) {
    case "race":
    case "any":
    case "contest":
    case "abort":
    case "detached":
      return false;
    case "scope":
    case "condition":
      return action.timeoutMs === undefined;
    case "shield":
      return action.timeoutMs >= UNHURRIED_MS;
    case "step":
      return !action.isVolatile;
    case "wait":
    case "token":
      return action.timeoutMs === undefined;
    case "variable":
      // The failure may be lost with its owner, and the next call succeeds.
      return action.fails !== "once";
    case "all":
      // Which branch fails first, and what the others record meanwhile, is decided by time.
      return action.branches.every((branch) => every(branch, (one) => isIndependent(one) && !mayThrow(one)));
    case "map":
      return every(action.body, (one) => isIndependent(one) && !mayThrow(one));
    case "allSettled":
      return action.branches.every((branch) => every(branch, isIndependent));
    default:
      return true;
  }
}

/** Whether a branch with this action does the same whatever the branches beside it do. */
function isIndependent(action: Action): boolean {
  return action.do !== "wait" && action.do !== "random";
}

function mayThrow(action: Action): boolean {
  if (action.do === "step") return action.failures >= action.attempts || (action.hangs && action.attempts === 1);
  return (
    action.do === "throw" ||
    ((action.do === "child" || action.do === "saga") && action.fails) ||
    (action.do === "variable" && action.fails !== "never")
  );
}
