import type { Command } from "commander";
import { addClientOptions, type ChangeFlags, printJson, reasonOf, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { visible } from "../visible.ts";

/** `raftoral delete ID`: drops a run that has ended. */
export function addDelete(program: Command, io: CliIo): void {
  const command = program
    .command("delete")
    .summary("delete a run that has ended")
    .description(
      "Delete a run that has ended, with its history, without waiting until it is old. A run that is not there is taken for deleted. Its id may be used again.",
    )
    .argument("<id>", "the run's id")
    .option("--reason <text>", "why, for the audit")
    .addHelpText("after", "\nExample:\n  $ raftoral delete A17");
  addClientOptions(command, io).action(async (id: string, flags: ChangeFlags) => {
    const gone = await withClient(flags, io, (client) => client.workflows.delete(id, reasonOf(flags)));
    if (flags.json === true) printJson(io, gone);
    else
      io.out(
        `Run ${visible(id)} is deleted. When it has left logs and snapshots, too, says: raftoral erased ${gone.position}\n`,
      );
  });
}
