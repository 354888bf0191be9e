// What `npm run verify` checks besides the tests in tools/. Every check only reads; `npm run fix` is what repairs.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { installed, root, run } from "../process.ts";
import { checkGenerated } from "./generated.ts";
import { type Lockfile, lockfileProblems } from "./lockfile.ts";

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
  { name: "lockfile is for every platform and npm", problem: checkLockfile },
];

async function output(program: string, args: readonly string[]): Promise<string | undefined> {
  const outcome = await run(installed(program), args);
  return outcome.ok ? undefined : outcome.output;
}

async function checkLockfile(): Promise<string | undefined> {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as Lockfile;
  const problems = lockfileProblems(lock);
  if (problems.length === 0) return undefined;
  const shown = problems.slice(0, 10).join("\n");
  return `package-lock.json: ${problems.length} problems\n${shown}\nRun \`npm run fix\`; CONTRIBUTING.md says how packages of other platforms come back.`;
}
