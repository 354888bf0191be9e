/** Commands about the runs of a workflow type. */
import type { Command } from "commander";
import {
  addClientOptions,
  addConsistency,
  type ChangeFlags,
  type ClientFlags,
  consistencyOf,
  printJson,
  type ReadFlags,
  reasonOf,
  withClient,
} from "../../client-command.ts";
import { formatTime } from "../../durations.ts";
import type { CliIo } from "../../io.ts";
import { clip, formatTable } from "../../table.ts";
import { visible } from "../../visible.ts";

/** `raftoral pause-type TYPE`, `resume-type TYPE` and `paused-types`. */
export function addTypes(program: Command, io: CliIo): void {
  const pause = program
    .command("pause-type")
    .summary("pause all runs of a type")
    .description(
      "Pause a workflow type: runs of it are started and do not begin, and those that go on rest once the steps under way have finished, until the type is resumed.",
    )
    .argument("<type>", "the workflow type")
    .option("--reason <text>", "why; runs of the type show it")
    .addHelpText(
      "after",
      '\nExample:\n  $ raftoral pause-type order --reason "the bank is closed"\n  $ raftoral resume-type order',
    );
  addClientOptions(pause, io).action(async (type: string, flags: ChangeFlags) => {
    await withClient(flags, io, ({ workflows }) => workflows.pauseType(type, reasonOf(flags)));
    if (flags.json === true) printJson(io, { workflowType: type, paused: true });
    else io.out(`Type ${visible(type)} is paused. Its runs rest once the steps under way have finished.\n`);
  });
  const resume = program
    .command("resume-type")
    .summary("let the runs of a type go on")
    .description("Let the runs of a workflow type go on that was paused.")
    .argument("<type>", "the workflow type")
    .option("--reason <text>", "why, for the audit")
    .addHelpText("after", "\nExample:\n  $ raftoral paused-types\n  $ raftoral resume-type order");
  addClientOptions(resume, io).action(async (type: string, flags: ChangeFlags) => {
    await withClient(flags, io, ({ workflows }) => workflows.resumeType(type, reasonOf(flags)));
    if (flags.json === true) printJson(io, { workflowType: type, resumed: true });
    else io.out(`The runs of type ${visible(type)} go on.\n`);
  });
  const list = program
    .command("paused-types")
    .summary("list the types that are paused")
    .description("List the workflow types that are paused, since when, by whom and why.")
    .addHelpText("after", "\nExample:\n  $ raftoral paused-types");
  addConsistency(addClientOptions(list, io)).action(async (flags: ClientFlags & ReadFlags) => {
    const types = await withClient(flags, io, ({ workflows }) => workflows.pausedTypes(consistencyOf(flags)));
    if (flags.json === true) printJson(io, types);
    else if (types.length === 0) io.out("No type is paused.\n");
    else
      io.out(
        formatTable(
          [{ title: "TYPE" }, { title: "SINCE (UTC)" }, { title: "BY" }, { title: "REASON" }],
          types.map(({ workflowType, pausedAtMs, by, reason }) => {
            return [clip(workflowType, 60), formatTime(pausedAtMs), clip(by, 40), clip(reason, 100)];
          }),
        ),
      );
  });
}
