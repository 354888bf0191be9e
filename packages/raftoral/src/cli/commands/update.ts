import type { Command } from "commander";
import { jsonText } from "../../api/payloads/bytes-as-json.ts";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { addFile, type FileFlag, readValue } from "../json-argument.ts";
import { visible } from "../visible.ts";

interface UpdateFlags extends ClientFlags, FileFlag {
  readonly input?: string;
  readonly id?: string;
}

/** `raftoral update ID NAME`: what a handler of a run does and answers. */
export function addUpdate(program: Command, io: CliIo): void {
  const command = program
    .command("update")
    .summary("ask a run to do something")
    .description("Ask a run to do something: print what the handler of an update (ctx.onUpdate) answers, once it has.")
    .argument("<id>", "the run's id")
    .argument("<name>", "the update's name")
    .option("-i, --input <json>", "what the handler is given: JSON, @file, or - for standard input")
    .option("--id <id>", "the update's id: the same one again is executed once, and answered alike")
    .addHelpText("after", "\nExample:\n  $ raftoral update A17 set-limit --input 500");
  addClientOptions(addFile(command, "input"), io).action(async (id: string, name: string, flags: UpdateFlags) => {
    const input = await readValue(flags.input, flags, "--input", io);
    const options = flags.id === undefined ? {} : { id: flags.id };
    const answer = await withClient(flags, io, ({ workflows }) => workflows.update(id, name, input, options));
    if (flags.json === true) printJson(io, answer ?? null);
    else if (answer === undefined) io.out(`Update ${visible(name)} of run ${visible(id)} was carried out.\n`);
    else io.out(`${typeof answer === "string" ? visible(answer) : jsonText(answer)}\n`);
  });
}
