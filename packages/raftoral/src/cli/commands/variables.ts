import type { Command } from "commander";
import type { RunVariable } from "../../api/variables.ts";
import {
  addClientOptions,
  addConsistency,
  type ClientFlags,
  consistencyOf,
  printJson,
  type ReadFlags,
  withClient,
} from "../client-command.ts";
import { formatTime } from "../durations.ts";
import type { CliIo } from "../io.ts";
import { payloadText } from "../payload-text.ts";
import { clip, formatTable } from "../table.ts";
import { visible } from "../visible.ts";

/** `raftoral variables ID`: what a run has set its variables to. */
export function addVariables(program: Command, io: CliIo): void {
  const command = program
    .command("variables")
    .summary("read the variables of a run")
    .description(
      "Print the variables of a run, or the value of one of them. Names of scopes come before the variable's.",
    )
    .argument("<id>", "the run's id")
    .argument("[name]", "the only variable to print, as in ctx.variable(name)")
    .addHelpText("after", "\nExamples:\n  $ raftoral variables A17\n  $ raftoral variables A17 ship/status");
  addConsistency(addClientOptions(command, io)).action(
    async (runId: string, name: string | undefined, flags: ClientFlags & ReadFlags) => {
      const read = consistencyOf(flags);
      const variables = await withClient(flags, io, async ({ workflows }) => {
        if (name !== undefined) return (await workflows.variablesPage(runId, { name, ...read })).variables;
        return (await Array.fromAsync(workflows.variables(runId, read))).toSorted((a, b) => (a.name < b.name ? -1 : 1));
      });
      if (flags.json === true) printJson(io, variables);
      else if (name === undefined) io.out(tableOf(variables));
      else
        io.out(
          variables[0] === undefined
            ? `Run ${visible(runId)} has no variable ${visible(name)}.\n`
            : `${visible(textOf(variables[0]))}\n`,
        );
    },
  );
}

function tableOf(variables: readonly RunVariable[]): string {
  if (variables.length === 0) return "No variables.\n";
  return formatTable(
    [{ title: "NAME" }, { title: "VALUE" }, { title: "SET (UTC)" }],
    variables.map((variable) => [
      clip(variable.name, 60),
      clip(textOf(variable), 80),
      formatTime(variable.recordedAtMs),
    ]),
  );
}

/** Text as it is, another value as JSON. */
function textOf({ value }: RunVariable): string {
  if (value.encoded !== undefined) return payloadText(value);
  const decoded: unknown = value.toJSON();
  return typeof decoded === "string" ? decoded : (JSON.stringify(decoded) ?? "");
}
