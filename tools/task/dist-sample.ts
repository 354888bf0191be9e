// Which tests run against the builds in `npm test`. All of them do in `npm run test:dist`.
//
// What a build may break is not what the code does, which the sources have shown, but how it is put together: a module that is missing or does not load,
// an entry that leads nowhere, a class that is there twice, other bytes. So this is looked at:
//
// DS1. The contracts of a package, by the names of their tests: exports, conformance suites, parsers, formats, scripts, golden histories, the kit's
//      runners, an agent's loop.
// DS2. Every module that was built, each by its path, and every entry, by the name that users import, loads in plain Node (load-built.ts).

import { filesIn } from "../workspace.ts";

/** Names of the test files, or their ends after a `-` (DS1). */
export const SAMPLED_NAMES: readonly string[] = [
  "exports.test.ts",
  "conformance.test.ts",
  "memory-storage.test.ts",
  "memory-state-store.test.ts",
  "parsers.test.ts",
  "formats.test.ts",
  "interaction.test.ts",
  "golden-histories.test.ts",
  "runners.test.ts",
  "durable.test.ts",
];

/** The sampled test files of a package, relative to its folder, in order. */
export async function distSample(folder: string): Promise<readonly string[]> {
  const files = await filesIn(folder, ["src/**/*.test.ts"]);
  return files.filter((file) => SAMPLED_NAMES.some((name) => isNamed(file, name)));
}

/** Whether a test file has this name, with or without words before a `-`. */
export function isNamed(file: string, name: string): boolean {
  return file.endsWith(`/${name}`) || file.endsWith(`-${name}`);
}
