// What one task of nx (the tests of a package, the checks, ...) came to, kept in a file: nx puts the file back when it answers from its cache.
//
// 1. A task writes its file at its end, passed or failed. nx keeps it with the task's other outputs (nx.json: tmp/counts).
// 2. Who reads the files takes them away first, so a task that ended without one is seen.
// 3. A file carries the id of the run of `npm test` that it was written in. Another id means: from the cache.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { root } from "../process.ts";
import { type Counts, format } from "./counts.ts";

/** Environment variable with the id of the run. It is no input of any task. */
export const RUN_ID = "RAFTORAL_RUN_ID";

/** One task of nx. */
export interface Task {
  /** Name of the project in nx. */
  readonly project: string;
  /** Its folder from the repository's root, with `/`. */
  readonly folder: string;
  readonly target: string;
}

/** What a task left behind. */
export interface TaskRecord {
  readonly runId: string;
  readonly counts: Counts;
}

function fileOf({ folder, target }: Pick<Task, "folder" | "target">): string {
  return join(root, "tmp", "counts", folder, `${target}.json`);
}

/** Ends the process of a task: writes the record, prints the counts, and sets the exit code. */
export async function endTask(task: Pick<Task, "folder" | "target">, counts: Counts): Promise<void> {
  const record: TaskRecord = { runId: process.env[RUN_ID] ?? "", counts };
  await mkdir(dirname(fileOf(task)), { recursive: true });
  await writeFile(fileOf(task), JSON.stringify(record));
  console.log(format(counts));
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

/** Takes away what an earlier run left. */
export async function forgetRecord(task: Task): Promise<void> {
  await rm(fileOf(task), { force: true });
}

/** The record of a task; undefined when there is none. */
export async function readRecord(task: Task): Promise<TaskRecord | undefined> {
  try {
    return JSON.parse(await readFile(fileOf(task), "utf8")) as TaskRecord;
  } catch {
    // The task ended before it could write: the caller counts it as one failure.
    return undefined;
  }
}
