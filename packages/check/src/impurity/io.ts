/** What speaks to the network, to files, or to other processes and threads. */
import type { Value } from "../values/value.ts";
import { type CallJudge, callName } from "./impurity.ts";

const GLOBALS = /^(BroadcastChannel|EventSource|WebSocket|XMLHttpRequest|fetch|navigator\.sendBeacon)(\.|$)/;

/** Modules of Node, and packages, that do nothing else. */
const MODULES = new Set([
  "child_process",
  "cluster",
  "dgram",
  "dns",
  "dns/promises",
  "fs",
  "fs/promises",
  "http",
  "http2",
  "https",
  "inspector",
  "net",
  "readline",
  "readline/promises",
  "repl",
  "sqlite",
  "tls",
  "worker_threads",
  "axios",
  "cross-fetch",
  "execa",
  "fs-extra",
  "got",
  "graceful-fs",
  "ky",
  "node-fetch",
  "superagent",
  "undici",
]);

/** Their exports that only compute. */
const PURE = /^(isIP|isIPv4|isIPv6|validateHeaderName|validateHeaderValue|isAxiosError|isCancel)$/;

/** Exports that make another client: what the client does is the same as what its package does. */
const FACTORIES = /^(create|defaults|extend|instance)$/;

/** Finds calls that do input or output. */
export const ioCall: CallJudge = (callee, path, call) => {
  const speaks =
    callee.type === "global"
      ? GLOBALS.test(path)
      : MODULES.has(callee.specifier) && !PURE.test(path) && !isFactory(callee);
  return speaks ? { rule: "io", name: callName(callee, path, call) } : undefined;
};

/** Whether the result of a call of `value`, or of `new` with it, speaks as `value` does. */
export function givesClient(
  value: Value,
  how: "call" | "new",
): value is Value & { readonly type: "external" | "global" } {
  if (value.type === "global") return how === "new" && GLOBALS.test(value.path);
  return value.type === "external" && (how === "new" ? MODULES.has(value.specifier) : isFactory(value));
}

function isFactory(value: { readonly specifier: string; readonly path: string }): boolean {
  return MODULES.has(value.specifier) && FACTORIES.test(value.path);
}
