import { type Command, Option } from "commander";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { addFile, type FileFlag, readValue } from "../json-argument.ts";

interface AnswerFlags extends ClientFlags, FileFlag {
  readonly value?: string;
  readonly fail?: string;
}

/** `raftoral answer TOKEN`: answers a token that a run has given out. */
export function addAnswer(program: Command, io: CliIo): void {
  const command = program
    .command("answer")
    .summary("answer a token of a run")
    .description(
      "Answer a token that a run has given out (ctx.token), with a value or with a failure. The first answer stands.",
    )
    .argument("<token>", "the token's id")
    .option("--value <json>", "the answer: JSON, @file, or - for standard input")
    .addOption(new Option("--fail <message>", "fail the token instead, with this message").conflicts(["value", "file"]))
    .addHelpText("after", "\nExample:\n  $ raftoral answer rt_WyJBMTciLCJhcHByb3ZhbCMwIl0.sR1 --value true");
  addClientOptions(addFile(command, "value"), io).action(async (token: string, flags: AnswerFlags) => {
    const { fail } = flags;
    const value = await readValue(flags.value, flags, "--value", io);
    await withClient(flags, io, ({ workflows }) =>
      fail === undefined ? workflows.answer(token, value) : workflows.fail(token, fail),
    );
    if (flags.json === true) printJson(io, { token, answered: true });
    else io.out("The answer was recorded.\n");
  });
}
