/** What reads the clock. */
import { type CallJudge, callName } from "./impurity.ts";

const GLOBAL_CALLS =
  /^(Date\.now|performance\.[a-zA-Z]+|Temporal\.Now\.[a-zA-Z]+|process\.(hrtime(\.bigint)?|uptime))$/;

/** Exports that read the clock when they are called without arguments. */
const NOW_WITHOUT_ARGUMENTS: Readonly<Record<string, RegExp>> = {
  dayjs: /^(utc)?$/,
  luxon: /^DateTime\.(local|now|utc)$/,
  moment: /^(utc)?$/,
};

/** Finds calls that read a clock. */
export const clockCall: CallJudge = (callee, path, call) => {
  const found = { rule: "clock", name: callName(callee, path, call) } as const;
  if (callee.type === "external") {
    if (callee.specifier === "process" && /^(hrtime(\.bigint)?|uptime)$/.test(path)) return found;
    if (callee.specifier === "perf_hooks" && path.startsWith("performance.")) return found;
    const now = NOW_WITHOUT_ARGUMENTS[callee.specifier];
    return call.arguments.length === 0 && now?.test(path) === true ? found : undefined;
  }
  if (GLOBAL_CALLS.test(path)) return found;
  // Date() without new ignores its arguments; new Date(1) is a value like any other.
  const isNow = path === "Date" && (call.type !== "NewExpression" || call.arguments.length === 0);
  return isNow ? found : undefined;
};
