/** What ends after some time. `queueMicrotask` is no timer: microtasks run in the same order each time. */
import { type CallJudge, callName } from "./impurity.ts";

const GLOBAL_CALLS =
  /^(setImmediate|setInterval|setTimeout|AbortSignal\.timeout|Atomics\.wait|scheduler\.(postTask|wait|yield))$/;
const EXPORTS = /^(promises\.)?(setImmediate|setInterval|setTimeout|scheduler\.(wait|yield))$/;

/** Finds calls that set a timer. */
export const timerCall: CallJudge = (callee, path, call) => {
  const sets =
    callee.type === "global"
      ? GLOBAL_CALLS.test(path)
      : /^timers(\/promises)?$/.test(callee.specifier) && EXPORTS.test(path);
  return sets ? { rule: "timer", name: callName(callee, path, call) } : undefined;
};
