import type { Command } from "commander";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { addFile, type FileFlag, readValue } from "../json-argument.ts";
import { visible } from "../visible.ts";

interface SignalFlags extends ClientFlags, FileFlag {
  readonly payload?: string;
}

/** `raftoral signal ID NAME`: what a run's `ctx.waitFor(NAME)` waits for. */
export function addSignal(program: Command, io: CliIo): void {
  const command = program
    .command("signal")
    .summary("send a signal to a run")
    .description("Send a signal to a run. It is kept until the run waits for it.")
    .argument("<id>", "the run's id")
    .argument("<name>", "the signal's name, as in ctx.waitFor(name)")
    .option("-p, --payload <json>", "its value: JSON, @file, or - for standard input")
    .addHelpText("after", "\nExample:\n  $ raftoral signal A17 approval --payload true");
  addClientOptions(addFile(command, "payload"), io).action(async (id: string, name: string, flags: SignalFlags) => {
    const payload = await readValue(flags.payload, flags, "--payload", io);
    await withClient(flags, io, (client) => client.workflows.signal(id, name, payload));
    if (flags.json === true) printJson(io, { runId: id, signal: name });
    else io.out(`Signal ${visible(name)} was recorded for run ${visible(id)}.\n`);
  });
}
