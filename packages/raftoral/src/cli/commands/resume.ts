import type { Command } from "commander";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { visible } from "../visible.ts";

interface ResumeFlags extends ClientFlags {
  readonly reason?: string;
}

/** `raftoral resume ID`: lets a stuck or paused run go on. */
export function addResume(program: Command, io: CliIo): void {
  const command = program
    .command("resume")
    .summary("let a stuck or paused run go on, or begin a delayed one")
    .description(
      "Let a stuck run go on, as if it had lost no owner, or a paused one, or begin a delayed one now. `raftoral show` says why it is stuck or paused; another run is left as it is.",
    )
    .argument("<id>", "the run's id")
    .option("--reason <text>", "why, for the audit")
    .addHelpText("after", "\nExample:\n  $ raftoral list --status stuck\n  $ raftoral resume A17");
  addClientOptions(command, io).action(async (id: string, flags: ResumeFlags) => {
    const options = flags.reason === undefined ? {} : { reason: flags.reason };
    await withClient(flags, io, (client) => client.workflows.resume(id, options));
    if (flags.json === true) printJson(io, { runId: id, resumed: true });
    else io.out(`Run ${visible(id)} goes on.\n`);
  });
}
