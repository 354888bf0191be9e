/** Turns a folder of exported histories into tests: one for each file, in the runner at hand. */
import { AssertionError } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { WorkflowDefinition } from "@raftoral/workflow";
import { parseHistory } from "./parse-history.ts";
import { type ReplayOptions, type ReplayReport, replay } from "./replay.ts";

/** How a runner declares a test: `test` of vitest, of node:test and of most others. */
export type DeclareTest = (name: string, run: () => Promise<void>) => unknown;

/** Options of {@link replayFolder}. Defaults in parentheses. */
export interface ReplayFolderOptions extends ReplayOptions {
  /** Verdicts that pass (same and extended). */
  readonly accept?: readonly ReplayReport["verdict"][];
}

const ACCEPTED: readonly ReplayReport["verdict"][] = Object.freeze(["same", "extended"]);

/**
 * Declares a test for each `*.json` in `folder`, sorted by name: the history is replayed against the workflow of its type and version, the newest one of
 * its type with `anyVersion`. A file that cannot be read, a history of no given workflow, and a folder without a history are failing tests.
 */
export function replayFolder(
  test: DeclareTest,
  folder: string | URL,
  workflows: readonly WorkflowDefinition[],
  options: ReplayFolderOptions = {},
): void {
  const path = typeof folder === "string" ? folder : fileURLToPath(folder);
  const files = filesIn(path);
  if (files.length === 0) {
    test(`histories of ${path}`, async () => {
      throw new AssertionError({
        message: `${path} has no histories. Export some with raftoral show ID --export ${join(path, "NAME.json")}.`,
        operator: "replayFolder",
      });
    });
  }
  for (const file of files) {
    test(`${file} replays`, async () => {
      const history = parseHistory(readFileSync(join(path, file), "utf8"), file);
      const report = await replay(history, workflowFor(history, workflows, options, file), options);
      const accepted = options.accept ?? ACCEPTED;
      if (accepted.includes(report.verdict)) return;
      const { verdict, reason, runId, recorded, replayed } = report;
      throw new AssertionError({
        message: `${file}: run ${runId} is ${verdict}, after ${replayed} of ${recorded} records. ${reason}`,
        actual: verdict,
        expected: accepted.join(" or "),
        operator: "replayFolder",
      });
    });
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort();
  } catch {
    return [];
  }
}

function workflowFor(
  { workflowType, version }: { readonly workflowType: string; readonly version: number },
  workflows: readonly WorkflowDefinition[],
  { anyVersion = false }: ReplayOptions,
  file: string,
): WorkflowDefinition {
  const fitting = workflows
    .filter((one) => one.type === workflowType && (anyVersion || one.version === version))
    .sort((a, b) => b.version - a.version);
  const found = fitting.find((one) => one.version === version) ?? fitting[0];
  if (found !== undefined) return found;
  const given = workflows.map((one) => `${one.type}@${one.version}`).join(", ") || "none";
  throw new AssertionError({
    message: `${file} is of ${workflowType}@${version}; the workflows are ${given}. Give that workflow too, or remove the file.`,
    operator: "replayFolder",
  });
}
