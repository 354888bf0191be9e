/** What draws random values. Hashes and signatures of `crypto` give the same each time, and are not here. */
import { type CallJudge, callName } from "./impurity.ts";

const GLOBAL_CALLS = /^(Math\.random|crypto\.(getRandomValues|randomUUID|subtle\.generateKey))$/;

const EXPORTS: Readonly<Record<string, RegExp>> = {
  crypto:
    /^((webcrypto\.)?(getRandomValues|randomUUID(v7)?|subtle\.generateKey)|createDiffieHellman|createECDH|generate(Key|KeyPair|Prime)(Sync)?|prng|pseudoRandomBytes|random(Bytes|Fill|FillSync|Int)|rng)$/,
  nanoid: /^(customAlphabet|nanoid|random)$/,
  "@paralleldrive/cuid2": /^createId$/,
  ulid: /^(monotonicFactory|ulid)$/,
  uuid: /^v[1467]$/,
};

/** Finds calls that draw random values. */
export const randomCall: CallJudge = (callee, path, call) => {
  const draws = callee.type === "global" ? GLOBAL_CALLS : EXPORTS[callee.specifier];
  return draws?.test(path) === true ? { rule: "random", name: callName(callee, path, call) } : undefined;
};
