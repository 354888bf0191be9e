import type { Command } from "commander";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../../client-command.ts";
import type { CliIo } from "../../io.ts";
import { readJsonArgument } from "../../json-argument.ts";
import { visible } from "../../visible.ts";

interface SetFlags extends ClientFlags {
  readonly value: string;
  readonly reason?: string;
}

/** `raftoral set ID VARIABLE`: sets a variable of a run. */
export function addSet(program: Command, io: CliIo): void {
  const command = program
    .command("set")
    .summary("set a variable of a run")
    .description(
      "Set a variable of a run from outside, as its body would. What the body waits for by a condition is looked at again.",
    )
    .argument("<id>", "the run's id")
    .argument("<variable>", "its name, scopes before it, as `raftoral variables` prints it")
    .requiredOption("--value <json>", "the new value: JSON, @file, or - for standard input")
    .option("--reason <text>", "why, for the audit")
    .addHelpText("after", "\nExample:\n  $ raftoral variables A17\n  $ raftoral set A17 ship/limit --value 10");
  addClientOptions(command, io).action(async (runId: string, variable: string, flags: SetFlags) => {
    const value = await readJsonArgument(flags.value, "--value", io);
    const { reason, timeout: timeoutMs } = flags;
    const options = { timeoutMs, ...(reason === undefined ? {} : { reason }) };
    await withClient(flags, io, ({ workflows }) => workflows.setVariable(runId, variable, value, options));
    if (flags.json === true) printJson(io, { runId, variable, set: true });
    else io.out(`Variable ${visible(variable)} of run ${visible(runId)} is set.\n`);
  });
}
