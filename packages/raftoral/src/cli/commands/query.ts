import type { Command } from "commander";
import { jsonText } from "../../api/payloads/bytes-as-json.ts";
import {
  addClientOptions,
  addConsistency,
  type ClientFlags,
  consistencyOf,
  printJson,
  type ReadFlags,
  withClient,
} from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { addFile, type FileFlag, readValue } from "../json-argument.ts";
import { visible } from "../visible.ts";

interface QueryFlags extends ClientFlags, ReadFlags, FileFlag {
  readonly input?: string;
}

/** `raftoral query ID NAME`: what a read-only handler of a run answers. */
export function addQuery(program: Command, io: CliIo): void {
  const command = program
    .command("query")
    .summary("ask a run for something")
    .description("Ask a run: print what the handler of a query (ctx.onQuery) answers. Changes nothing.")
    .argument("<id>", "the run's id")
    .argument("<name>", "the query's name")
    .option("-i, --input <json>", "what the query is asked with: JSON, @file, or - for standard input")
    .addHelpText("after", "\nExample:\n  $ raftoral query A17 progress");
  addConsistency(addClientOptions(addFile(command, "input"), io)).action(
    async (id: string, name: string, flags: QueryFlags) => {
      const input = await readValue(flags.input, flags, "--input", io);
      const answer = await withClient(flags, io, ({ workflows }) =>
        workflows.query(id, name, input, consistencyOf(flags)),
      );
      if (flags.json === true) printJson(io, answer ?? null);
      else io.out(`${typeof answer === "string" ? visible(answer) : (jsonText(answer) ?? "")}\n`);
    },
  );
}
