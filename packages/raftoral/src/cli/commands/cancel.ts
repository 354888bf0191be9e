import type { Command } from "commander";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { visible } from "../visible.ts";

interface CancelFlags extends ClientFlags {
  readonly reason?: string;
}

/** `raftoral cancel ID`: asks a run to end as cancelled. */
export function addCancel(program: Command, io: CliIo): void {
  const command = program
    .command("cancel")
    .summary("cancel a run")
    .description("Ask a run to end as cancelled. Steps that are recorded stay recorded.")
    .argument("<id>", "the run's id")
    .option("--reason <text>", "why; the run's description shows it")
    .addHelpText("after", '\nExample:\n  $ raftoral cancel A17 --reason "ordered twice"');
  addClientOptions(command, io).action(async (id: string, flags: CancelFlags) => {
    const { reason } = flags;
    await withClient(flags, io, (client) => client.workflows.cancel(id, reason === undefined ? {} : { reason }));
    if (flags.json === true) printJson(io, { runId: id, cancelRequested: true });
    else io.out(`Run ${visible(id)} was asked to cancel.\n`);
  });
}
