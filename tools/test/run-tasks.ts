// Runs one target of the workspace's projects through nx, which answers from its cache where nothing that a task depends on has changed.

import { randomUUID } from "node:crypto";
import { installed, run } from "../process.ts";
import { add, type Counts, format, NO_TESTS } from "../task/counts.ts";
import { forgetRecord, RUN_ID, readRecord, type Task } from "../task/record.ts";
import { workspacePackages } from "../workspace.ts";

/** The project of nx that is this folder (tools/project.json). */
const TOOLS = "tools";

/** The task `target` of the tools. */
export function toolsTask(target: string): readonly Task[] {
  return [{ project: TOOLS, folder: TOOLS, target }];
}

/** The tasks `target` of the packages that have a script of this name. */
export async function packageTasks(target: string): Promise<readonly Task[]> {
  const packages = await workspacePackages();
  return packages
    .filter(({ manifest }) => manifest.scripts?.[target] !== undefined)
    .map(({ manifest, shortName }) => ({ project: manifest.name, folder: `packages/${shortName}`, target }));
}

/**
 * Runs tasks of one target, one at a time: each has the whole machine. Prints a line for each at the end, and says which were answered from the cache.
 * A task that ends without a result (a crash, a build before it that failed) counts as one failure.
 */
export async function runTasks(tasks: readonly Task[]): Promise<Counts> {
  const [first] = tasks;
  if (first === undefined) return NO_TESTS;
  for (const task of tasks) await forgetRecord(task);
  const runId = randomUUID();
  const projects = tasks.map(({ project }) => project).join(",");
  const flags = ["--parallel=1", "--output-style=stream-without-prefixes"];
  const { ok } = await run(installed("nx"), ["run-many", "-t", first.target, "-p", projects, ...flags], {
    live: true,
    // Without it nx has its tasks print colours, and programs whose output is compared print them too.
    env: { [RUN_ID]: runId, FORCE_COLOR: "0" },
  });
  let total = NO_TESTS;
  for (const task of tasks) {
    const record = await readRecord(task);
    const counts = record?.counts ?? { ...NO_TESTS, failed: 1 };
    const remark = record === undefined ? ", ended without a result" : record.runId === runId ? "" : ", from the cache";
    console.log(`   ${task.project}: ${format(counts)}${remark}`);
    total = add(total, counts);
  }
  // Every task passed, and nx says that something failed.
  return ok || total.failed > 0 ? total : { ...total, failed: 1 };
}
