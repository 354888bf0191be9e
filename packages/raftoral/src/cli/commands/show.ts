import type { Command } from "commander";
import type { RunDetails } from "../../client/run-info.ts";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import { formatDuration, formatTime } from "../durations.ts";
import type { CliIo } from "../io.ts";
import { clip, formatFields, formatTable } from "../table.ts";

const EXAMPLES = `
Examples:
  $ raftoral show A17
  $ raftoral show A17 --json | jq '.checkpoints[].key'`;

const VALUE_WIDTH = 60;

/** `raftoral show ID`: one run with its steps and its history. */
export function addShow(program: Command, io: CliIo): void {
  const command = program
    .command("show")
    .summary("show a run with its steps")
    .description("Show a run: its state, every step that was recorded, and what happened to it.")
    .argument("<id>", "the run's id")
    .addHelpText("after", EXAMPLES);
  addClientOptions(command, io).action(async (id: string, flags: ClientFlags) => {
    const run = await withClient(flags, io, (client) => client.getRun(id));
    if (flags.json === true) printJson(io, run);
    else io.out(formatRun(run));
  });
}

/** The page of `raftoral show`. Values are cut to fit; `--json` has all of them. */
export function formatRun(run: RunDetails): string {
  const took = run.endedAtMs === 0 ? undefined : formatDuration(run.endedAtMs - run.startedAtMs);
  const parts = [
    formatFields([
      ["Run", run.runId],
      ["Workflow", `${run.workflowType}, version ${run.version}`],
      ["State", took === undefined ? run.status : `${run.status} after ${took}`],
      ["Owner", run.owner === 0 ? "none: no live node has registered this type and version" : `node ${run.owner}`],
      ["Attempt", String(run.attempt)],
      ["Started", `${formatTime(run.startedAtMs)} UTC`],
      ["Input", show(run.input)],
      ...(run.status === "completed" ? [["Result", show(run.result)] as const] : []),
      ...(run.error === undefined ? [] : [["Error", errorText(run.error)] as const]),
    ]),
  ];
  if (run.history.length > 0) {
    parts.push(
      formatTable(
        [
          { title: "step" },
          { title: "KIND" },
          { title: "AT", align: "right" },
          { title: "LOG", align: "right" },
          { title: "VALUE" },
        ],
        run.history.map((checkpoint) => [
          clip(checkpoint.path, 50),
          checkpoint.kind.toLowerCase(),
          `+${formatDuration(checkpoint.recordedAtMs - run.startedAtMs)}`,
          String(checkpoint.index),
          show(checkpoint.value),
        ]),
      ),
    );
  }
  if (run.lifecycle.length > 0) {
    parts.push(
      formatTable(
        [{ title: "TIME (UTC)" }, { title: "EVENT" }, { title: "" }],
        run.lifecycle.map((event) => [formatTime(event.atMs), event.kind, clip(event.text, 100)]),
      ),
    );
  }
  return parts.join("\n");
}

function errorText(error: { readonly name: string; readonly code: string; readonly message: string }): string {
  return `${error.code === "" ? error.name : error.code}: ${error.message}`;
}

function show(value: unknown): string {
  return value === undefined ? "-" : clip(JSON.stringify(value) ?? "-", VALUE_WIDTH);
}
