/** What belongs to the process or the machine: its variables, arguments, folder, memory. */
import { type CallJudge, callName, type Impurity, type NamedValue } from "./impurity.ts";

/** A member of `process` or of `node:os` that is read. */
export function environmentRead(value: NamedValue): Impurity | undefined {
  const name = memberOfProcess(value);
  return name === undefined ? undefined : { rule: "environment", name };
}

/** A call of such a member, `process.cwd()`. */
export const environmentCall: CallJudge = (callee, path, call) => {
  const isMember = memberOfProcess({ ...callee, path }) !== undefined;
  return isMember ? { rule: "environment", name: callName(callee, path, call) } : undefined;
};

function memberOfProcess(value: NamedValue): string | undefined {
  if (value.type === "external") {
    if (value.path === "") return undefined;
    if (value.specifier === "process") return `process.${value.path}`;
    return value.specifier === "os" ? `${value.path} of os` : undefined;
  }
  return /^(process|Bun\.env|Deno\.env)\../.test(value.path) || /^(Bun|Deno)\.env$/.test(value.path)
    ? value.path
    : undefined;
}
