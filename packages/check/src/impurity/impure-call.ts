/** Judges calls of what is not declared in the files: the first rule that knows the callee says what is wrong. */
import type { CallNode } from "../syntax/nodes.ts";
import { clockCall } from "./clock.ts";
import { environmentCall } from "./environment.ts";
import { foreignPromise } from "./foreign-promise.ts";
import type { CallJudge, Impurity, NamedValue } from "./impurity.ts";
import { ioCall } from "./io.ts";
import { randomCall } from "./random.ts";
import { timerCall } from "./timer.ts";

const JUDGES: readonly CallJudge[] = [clockCall, randomCall, timerCall, environmentCall, ioCall, foreignPromise];

/** What is wrong with calling `callee` in a body. */
export function impureCall(callee: NamedValue, call: CallNode): Impurity | undefined {
  const path = callee.path.replace(/\.(apply|call)$/, "");
  for (const judge of JUDGES) {
    const found = judge(callee, path, call);
    if (found !== undefined) return found;
  }
  return undefined;
}
