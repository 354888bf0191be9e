/** Commands that do something to one run that its body does not do itself. */
import type { Command } from "commander";
import type { Workflows } from "../../api/workflows.ts";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { addFile, type FileFlag, readValue, requiredValue } from "../json-argument.ts";
import { visible } from "../visible.ts";

interface MendFlags extends ClientFlags {
  readonly reason?: string;
}

/** What is done to a run, and what is said of it afterwards. */
interface Mended {
  readonly text: string;
  readonly json: object;
}

type Mend<Flags extends MendFlags> = (workflows: Workflows, runId: string, flags: Flags) => Promise<Mended>;

/** `raftoral pause ID`: takes a run off its owner until it is resumed. */
export function addPause(program: Command, io: CliIo): void {
  const command = program
    .command("pause")
    .summary("pause a run")
    .description(
      "Pause a run: steps under way finish, nothing more begins, and no node executes the run until it is resumed. `raftoral show` says when it is paused.",
    )
    .argument("<id>", "the run's id")
    .option("--now", "wait for no step: what is under way is aborted, and runs again")
    .addHelpText("after", '\nExample:\n  $ raftoral pause A17 --reason "the bank is closed"\n  $ raftoral resume A17');
  addMend<MendFlags & { readonly now?: boolean }>(command, io, async (workflows, runId, { now = false, ...flags }) => {
    await workflows.pause(runId, { ...reasonOf(flags), now });
    const text = now ? "is paused" : "is to pause once the steps under way have finished";
    return { text: `Run ${visible(runId)} ${text}.`, json: { runId, pauseRequested: true } };
  });
}

/** `raftoral terminate ID`: ends a run now, without its body. */
export function addTerminate(program: Command, io: CliIo): void {
  const command = program
    .command("terminate")
    .summary("end a run now")
    .description(
      "End a run now, as failed. Its code does not hear of it and undoes nothing. Where it should, use `raftoral cancel`.",
    )
    .argument("<id>", "the run's id")
    .addHelpText("after", '\nExample:\n  $ raftoral terminate A17 --reason "it waits for a customer who left"');
  addMend(command, io, async (workflows, runId, flags) => {
    await workflows.terminate(runId, reasonOf(flags));
    return { text: `Run ${visible(runId)} was terminated.`, json: { runId, terminated: true } };
  });
}

/** `raftoral retry ID`: lets a failed run go on from its record. */
export function addRetry(program: Command, io: CliIo): void {
  const command = program
    .command("retry")
    .summary("let a failed run go on")
    .description(
      "Let a run go on that failed or was cancelled: the same run, from its record. The step that failed runs again, with the same idempotency key.",
    )
    .argument("<id>", "the run's id")
    .option("--from <step>", "go on from this step: its record and all after it do not count any more")
    .addHelpText(
      "after",
      "\nExamples:\n  $ raftoral list --status failed\n  $ raftoral retry A17\n  $ raftoral retry A17 --from ship/label#1",
    );
  addMend<MendFlags & { readonly from?: string }>(command, io, async (workflows, runId, { from, ...flags }) => {
    await workflows.retry(runId, { ...reasonOf(flags), ...(from === undefined ? {} : { from }) });
    return { text: `Run ${visible(runId)} goes on.`, json: { runId, retried: true } };
  });
}

/** `raftoral fork ID`: starts a run with the first part of another one's record. */
export function addFork(program: Command, io: CliIo): void {
  const command = program
    .command("fork")
    .summary("start a run from a step of another one")
    .description(
      "Start a run that has the record of another one up to a step, and goes on from there: with an id of its own, and so with other idempotency keys. The other run is left as it is.",
    )
    .argument("<id>", "the other run's id")
    .option("--id <id>", "the new run's id (a random one)")
    .option("--from <step>", "begin with this step (the failure that ended the other run)")
    .option("-i, --input <json>", "instead of the other run's input: JSON, @file, or - for standard input")
    .addHelpText("after", "\nExample:\n  $ raftoral fork A17 --from charge --id A17-again");
  type Flags = MendFlags & FileFlag & { readonly id?: string; readonly from?: string; readonly input?: string };
  addMend<Flags>(addFile(command, "input"), io, async (workflows, source, { id, from, input, ...flags }) => {
    const isEdited = input !== undefined || flags.file !== undefined;
    const run = await workflows.fork(source, {
      ...reasonOf(flags),
      ...(id === undefined ? {} : { runId: id }),
      ...(from === undefined ? {} : { from }),
      ...(isEdited ? { input: await readValue(input, flags, "--input", io) } : {}),
    });
    const { runId } = run;
    return { text: `Run ${visible(runId)} goes on from ${visible(source)}.`, json: { runId, source } };
  });
}

/** `raftoral complete ID STEP`: answers a step in the place of its function. */
export function addComplete(program: Command, io: CliIo): void {
  const command = program
    .command("complete")
    .summary("answer a step of a run by hand")
    .description(
      "Answer a step of a run in the place of its function. The step may be under way, be tried for ever, or not have begun; an attempt under way is aborted.",
    )
    .argument("<id>", "the run's id")
    .argument("<step>", "the step's path, as `raftoral show` prints it")
    .option("--value <json>", "what the step gives: JSON, @file, or - for standard input")
    .addHelpText("after", '\nExample:\n  $ raftoral complete A17 charge#0 --value \'{"receipt":"R1"}\'');
  type Flags = MendFlags & FileFlag & { readonly value?: string };
  addStepCommand<Flags>(addFile(command, "value"), io, async (workflows, runId, step, flags) => {
    const value = await readValue(requiredValue(flags), flags, "--value", io);
    await workflows.completeStep(runId, step, value, reasonOf(flags));
    return {
      text: `Step ${visible(step)} of run ${visible(runId)} has its value.`,
      json: { runId, step, completed: true },
    };
  });
}

/** `raftoral skip ID STEP`: answers a step with nothing. */
export function addSkip(program: Command, io: CliIo): void {
  const command = program
    .command("skip")
    .summary("skip a step of a run")
    .description("Answer a step of a run with nothing, as if its function had returned undefined.")
    .argument("<id>", "the run's id")
    .argument("<step>", "the step's path, as `raftoral show` prints it")
    .addHelpText("after", "\nExample:\n  $ raftoral skip A17 notify#0");
  addStepCommand(command, io, async (workflows, runId, step, flags) => {
    await workflows.completeStep(runId, step, undefined, reasonOf(flags));
    return { text: `Step ${visible(step)} of run ${visible(runId)} is skipped.`, json: { runId, step, skipped: true } };
  });
}

function addMend<Flags extends MendFlags>(command: Command, io: CliIo, mend: Mend<Flags>): void {
  optionsOf(command, io).action((id: string, flags: Flags) =>
    told(io, flags, (workflows) => mend(workflows, id, flags)),
  );
}

function addStepCommand<Flags extends MendFlags>(
  command: Command,
  io: CliIo,
  mend: (workflows: Workflows, runId: string, step: string, flags: Flags) => Promise<Mended>,
): void {
  optionsOf(command, io).action((id: string, step: string, flags: Flags) =>
    told(io, flags, (workflows) => mend(workflows, id, step, flags)),
  );
}

function optionsOf(command: Command, io: CliIo): Command {
  return addClientOptions(
    command.option("--reason <text>", "why, in the words of the run's error, description or events"),
    io,
  );
}

async function told(io: CliIo, flags: MendFlags, mend: (workflows: Workflows) => Promise<Mended>): Promise<void> {
  const { text, json } = await withClient(flags, io, ({ workflows }) => mend(workflows));
  if (flags.json === true) printJson(io, json);
  else io.out(`${text}\n`);
}

function reasonOf({ reason }: MendFlags): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}
