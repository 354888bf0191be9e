// Runs vitest over the whole tree or over one package, and counts what it found.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installed, root, run } from "../process.ts";
import { type Counts, countsOf, type VitestReport } from "./counts.ts";

/** A worker that blocks its thread (a deadlock in native code) is beyond every test's own time limit. */
const TIMEOUT_MS = 20 * 60_000;

export interface VitestRun {
  /** Arguments for `vitest run`: filters and options. */
  readonly args?: readonly string[];
  /** Test the built `dist` of every package instead of its sources. */
  readonly dist?: boolean;
  /** Absolute path of the package to test. The whole tree unless given. */
  readonly folder?: string;
}

/** Runs the tests, showing vitest's own report as it comes. */
export async function runVitest(options: VitestRun = {}): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), "raftoral-vitest-"));
  try {
    const file = join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const args = [
      "run",
      "--config",
      join(root, "vitest.config.ts"),
      "--root",
      ".",
      ...reporters,
      ...(options.args ?? []),
    ];
    const outcome = await run(installed("vitest"), args, {
      cwd: options.folder ?? root,
      live: true,
      timeoutMs: TIMEOUT_MS,
      env: options.dist === true ? { RAFTORAL_TEST_DIST: "1" } : {},
    });
    const report = await readReport(file);
    if (report === undefined)
      console.log("vitest ended without a report; a file that it did not name above hangs or crashes.");
    return countsOf(report, outcome.ok);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readReport(file: string): Promise<VitestReport | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as VitestReport;
  } catch {
    // vitest ended before it could write: the caller counts the run as one failure.
    return undefined;
  }
}
