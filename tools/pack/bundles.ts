// Bundles a program with what it needs into one file, as many services are deployed, and runs it.
//
// The bundlers know nothing of this repository: packages are found as they are installed in the project. Native modules stay outside.

import { join } from "node:path";
import { installed, type Outcome, run } from "../process.ts";
import type { Results } from "./results.ts";

const NATIVE = ["lmdb"];
const FORMATS = ["esm", "cjs"] as const;
const RUN_MS = 60_000;

type Bundler = (
  source: string,
  format: (typeof FORMATS)[number],
  bundle: string,
) => readonly [string, readonly string[]];

const BUNDLERS: Readonly<Record<string, Bundler>> = {
  esbuild: (source, format, bundle) => [
    "esbuild",
    [
      source,
      "--bundle",
      "--platform=node",
      `--format=${format}`,
      ...NATIVE.map((name) => `--external:${name}`),
      `--outfile=${bundle}`,
      "--log-level=warning",
    ],
  ],
  rolldown: (source, format, bundle) => [
    "rolldown",
    [
      source,
      "--platform",
      "node",
      "--format",
      format,
      ...NATIVE.flatMap((name) => ["--external", name]),
      "--file",
      bundle,
    ],
  ],
};

/** Bundles `source`, a file of the project, with each bundler in each format, and runs the bundles with this Node. */
export async function testBundles(project: string, source: string, results: Results): Promise<void> {
  for (const [name, bundler] of Object.entries(BUNDLERS)) {
    for (const format of FORMATS) {
      const bundle = `bundle-${name}.${format === "esm" ? "mjs" : "cjs"}`;
      results.add(
        `bundled by ${name} as ${format}, it runs`,
        await bundleAndRun(project, bundler(source, format, bundle), bundle),
      );
    }
  }
}

async function bundleAndRun(
  project: string,
  [program, args]: readonly [string, readonly string[]],
  bundle: string,
): Promise<Outcome> {
  const bundled = await run(installed(program), args, { cwd: project, timeoutMs: RUN_MS });
  if (!bundled.ok) return bundled;
  return await run(process.execPath, [join(project, bundle)], { cwd: project, timeoutMs: RUN_MS });
}
