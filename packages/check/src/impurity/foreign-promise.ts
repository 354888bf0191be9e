/** Promises whose answers are not in the record, other than those of timers and of input and output. */
import { type CallJudge, callName } from "./impurity.ts";

const GLOBAL_CALLS =
  /^(Atomics\.waitAsync|WebAssembly\.(compile|instantiate)(Streaming)?|crypto\.subtle\.[a-zA-Z]+|navigator\.locks\.request)$/;

const EXPORTS: Readonly<Record<string, RegExp>> = {
  crypto: /^((webcrypto\.)?subtle\.[a-zA-Z]+|hkdf|pbkdf2|scrypt|checkPrime)$/,
  events: /^(on|once|EventEmitter\.(on|once))$/,
  "stream/promises": /./,
};

/** Finds calls that give a promise whose answer is not recorded. */
export const foreignPromise: CallJudge = (callee, path, call) => {
  const foreign = callee.type === "global" ? GLOBAL_CALLS : EXPORTS[callee.specifier];
  return foreign?.test(path) === true ? { rule: "foreign-promise", name: callName(callee, path, call) } : undefined;
};
