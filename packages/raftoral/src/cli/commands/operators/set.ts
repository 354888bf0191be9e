import type { Command } from "commander";
import {
  addClientOptions,
  addReason,
  type ChangeFlags,
  printJson,
  reasonOf,
  withClient,
} from "../../client-command.ts";
import type { CliIo } from "../../io.ts";
import { addFile, type FileFlag, readValue, requiredValue } from "../../json-argument.ts";
import { visible } from "../../visible.ts";

interface SetFlags extends ChangeFlags, FileFlag {
  readonly value?: string;
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
    .option("--value <json>", "the new value: JSON, @file, or - for standard input")
    .addHelpText("after", "\nExample:\n  $ raftoral variables A17\n  $ raftoral set A17 ship/limit --value 10");
  addClientOptions(addReason(addFile(command, "value")), io).action(
    async (runId: string, variable: string, flags: SetFlags) => {
      const value = await readValue(requiredValue(flags), flags, "--value", io);
      const options = { timeoutMs: flags.timeout, ...reasonOf(flags) };
      await withClient(flags, io, ({ workflows }) => workflows.setVariable(runId, variable, value, options));
      if (flags.json === true) printJson(io, { runId, variable, set: true });
      else io.out(`Variable ${visible(variable)} of run ${visible(runId)} is set.\n`);
    },
  );
}
