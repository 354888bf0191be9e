// What `npm run verify` checks besides the tests in tools/. Every check only reads; `npm run fix` is what repairs.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { installed, root, run } from "../process.ts";
import { checkGenerated } from "./generated.ts";

export interface Check {
  readonly name: string;
  /** What is wrong and what to do about it; undefined when nothing is. */
  readonly problem: () => Promise<string | undefined>;
}

export const CHECKS: readonly Check[] = [
  { name: "format and lint (biome)", problem: () => output("biome", ["check", "--error-on-warnings"]) },
  { name: "types (tsc)", problem: () => output("tsc", ["-p", "tsconfig.json", "--noEmit"]) },
  { name: "proto files (buf lint)", problem: () => output("buf", ["lint"]) },
  { name: "generated code is up to date", problem: checkGenerated },
  { name: "lockfile names no host", problem: checkLockfile },
];

async function output(program: string, args: readonly string[]): Promise<string | undefined> {
  const outcome = await run(installed(program), args);
  return outcome.ok ? undefined : outcome.output;
}

async function checkLockfile(): Promise<string | undefined> {
  const lock = await readFile(join(root, "package-lock.json"), "utf8");
  const resolved = lock.match(/"resolved": "\w+:\/\/[^"]*"/g) ?? [];
  if (resolved.length === 0) return undefined;
  return `package-lock.json: ${resolved.length} entries like ${resolved[0]}; run \`npm install\` in this folder (.npmrc omits them)`;
}
