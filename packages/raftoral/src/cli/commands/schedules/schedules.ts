/** `raftoral schedules ...`: runs that are started at times. */
import { OVERLAP_POLICIES, type OverlapPolicy } from "@raftoral/workflow";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ScheduleChanges, Schedules, TriggerOptions } from "../../../api/schedules/schedules.ts";
import {
  addClientOptions,
  addConsistency,
  addReason,
  type ChangeFlags,
  type ClientFlags,
  consistencyOf,
  printJson,
  type ReadFlags,
  reasonOf,
  withClient,
} from "../../client-command.ts";
import { parseDuration, parseMoment } from "../../durations.ts";
import type { CliIo } from "../../io.ts";
import { readJsonArgument } from "../../json-argument.ts";
import { visible } from "../../visible.ts";
import { formatSchedule, formatSchedules } from "./schedule-text.ts";

interface SetFlags extends ChangeFlags {
  readonly workflow?: string;
  readonly cron?: readonly string[];
  readonly every?: number;
  readonly offset?: number;
  readonly timeZone?: string;
  readonly calendars?: string;
  readonly excluding?: string;
  readonly input?: string;
  readonly overlap?: OverlapPolicy;
  readonly jitter?: number;
  readonly catchUp?: number;
  readonly catchUpAll?: boolean;
  readonly startAt?: Date;
  readonly endAt?: Date;
  readonly runTimeout?: number;
  readonly paused?: boolean;
}

interface ShowFlags extends ClientFlags, ReadFlags {
  readonly upcoming?: number;
}

interface NoteFlags extends ClientFlags {
  readonly note?: string;
}

interface OverlapFlags extends ChangeFlags {
  readonly overlap?: OverlapPolicy;
}

const EXAMPLES = `
Examples:
  $ raftoral schedules create nightly --workflow report --cron "0 30 2 * * *" --time-zone Europe/Berlin
  $ raftoral schedules create poll --workflow poll --every 30s --overlap buffer-one
  $ raftoral schedules show nightly --upcoming 10
  $ raftoral schedules trigger nightly
  $ raftoral schedules backfill nightly 2026-03-01T00:00Z 2026-03-08T00:00Z`;

/** Adds the command with its own commands. */
export function addSchedules(program: Command, io: CliIo): void {
  const schedules = program
    .command("schedules")
    .summary("start runs at times")
    .description("Schedules: runs that are started at times, one for each occurrence, whatever nodes and clocks do.")
    .addHelpText("after", EXAMPLES);
  addSet(schedules, io);
  addReads(schedules, io);
  addChanges(schedules, io);
}

function addSet(schedules: Command, io: CliIo): void {
  const create = schedules
    .command("create")
    .description("Create a schedule. Each of its runs has the id ID/TIME, with the time of the occurrence in UTC.")
    .argument("<id>", "the schedule's id")
    .requiredOption("--workflow <type>", "what it starts")
    .option("--paused", "it starts nothing until it is resumed");
  timeOptions(create, io).action(async (id: string, flags: SetFlags) => {
    const changes = await changesOf(flags, io);
    const schedule = { workflow: flags.workflow ?? "", ...changes, paused: flags.paused === true };
    await done(flags, io, `Schedule ${visible(id)} is created.`, { scheduleId: id, created: true }, (each) =>
      each.create(id, schedule, reasonOf(flags)),
    );
  });
  const update = schedules
    .command("update")
    .description("Change parts of a schedule. It goes on with the first occurrence from now.")
    .argument("<id>", "the schedule's id");
  timeOptions(update, io).action(async (id: string, flags: SetFlags) => {
    const changes = await changesOf(flags, io);
    await done(flags, io, `Schedule ${visible(id)} is changed.`, { scheduleId: id, updated: true }, (each) =>
      each.update(id, changes, reasonOf(flags)),
    );
  });
}

function addReads(schedules: Command, io: CliIo): void {
  const list = schedules.command("list").description("List the schedules by their ids, with their next occurrences.");
  addConsistency(addClientOptions(list, io)).action(async (flags: ClientFlags & ReadFlags) => {
    await withClient(flags, io, async ({ workflows }) => {
      const all = await Array.fromAsync(workflows.schedules.list(consistencyOf(flags)));
      if (flags.json === true) printJson(io, all);
      else io.out(all.length === 0 ? "There are no schedules.\n" : formatSchedules(all));
    });
  });
  const show = schedules
    .command("show")
    .description("Show a schedule: its times, its next occurrences, and what became of the earlier ones.")
    .argument("<id>", "the schedule's id")
    .option("--upcoming <n>", "next occurrences to show (5)", parseCount);
  addConsistency(addClientOptions(show, io)).action(async (id: string, flags: ShowFlags) => {
    await withClient(flags, io, async ({ workflows }) => {
      const { upcoming } = flags;
      const given = { ...(upcoming === undefined ? {} : { upcoming }), ...consistencyOf(flags) };
      const schedule = await workflows.schedules.get(id, given);
      if (flags.json === true) printJson(io, schedule);
      else io.out(formatSchedule(schedule));
    });
  });
}

function addChanges(schedules: Command, io: CliIo): void {
  const pause = schedules
    .command("pause")
    .description("Let a schedule start nothing by itself.")
    .argument("<id>", "its id");
  addClientOptions(pause.option("--note <text>", "why"), io).action(async (id: string, flags: NoteFlags) => {
    const { note = "" } = flags;
    await done(flags, io, `Schedule ${visible(id)} is paused.`, { scheduleId: id, paused: true }, (each) =>
      each.pause(id, { note }),
    );
  });
  const resume = schedules
    .command("resume")
    .description("Let a paused schedule go on with the first occurrence from now.")
    .argument("<id>", "its id");
  addClientOptions(resume.option("--note <text>", "why"), io).action(async (id: string, flags: NoteFlags) => {
    const { note = "" } = flags;
    await done(flags, io, `Schedule ${visible(id)} goes on.`, { scheduleId: id, resumed: true }, (each) =>
      each.resume(id, { note }),
    );
  });
  const trigger = schedules
    .command("trigger")
    .description("Run a schedule's workflow now, also of a paused schedule.")
    .argument("<id>", "its id");
  addReason(addClientOptions(trigger.addOption(overlapOption()), io)).action(
    async (id: string, flags: OverlapFlags) => {
      await withClient(flags, io, async ({ workflows }) => {
        const triggered = await workflows.schedules.trigger(id, triggerOptions(flags));
        if (flags.json === true) printJson(io, triggered);
        else io.out(`Run ${visible(triggered.runId)}: ${visible(triggered.outcome)}.\n`);
      });
    },
  );
  const backfill = schedules
    .command("backfill")
    .description("Have the occurrences from one moment to another run. Those whose runs are there are not run again.")
    .argument("<id>", "its id")
    .argument("<from>", "a moment, e.g. 2026-03-01T00:00Z", parseMoment)
    .argument("<to>", "a moment, which is included", parseMoment);
  addReason(addClientOptions(backfill.addOption(overlapOption()), io)).action(
    async (id: string, from: Date, to: Date, flags: OverlapFlags) => {
      const text = `Occurrences of schedule ${visible(id)} are run.`;
      await done(flags, io, text, { scheduleId: id, backfilling: true }, (each) =>
        each.backfill(id, from, to, triggerOptions(flags)),
      );
    },
  );
  const remove = schedules
    .command("delete")
    .description("Delete a schedule. Its runs stay.")
    .argument("<id>", "its id");
  addReason(addClientOptions(remove, io)).action(async (id: string, flags: ChangeFlags) => {
    await done(flags, io, `Schedule ${visible(id)} is deleted.`, { scheduleId: id, deleted: true }, (each) =>
      each.delete(id, reasonOf(flags)),
    );
  });
}

function timeOptions(command: Command, io: CliIo): Command {
  return addReason(
    addClientOptions(
      command
        .option("--cron <pattern...>", "patterns of five fields, or six with seconds first")
        .option("--every <duration>", "an interval, e.g. 30s", parseDuration)
        .option("--offset <duration>", "moves the occurrences of --every", parseDuration)
        .option("--calendars <json>", 'times by their fields: [{"hours":"9-17","daysOfWeek":"MON-FRI"}], or @file')
        .option("--excluding <json>", "calendars whose times are no occurrences: JSON, or @file")
        .option("--time-zone <name>", "of patterns and calendars, e.g. Europe/Berlin (UTC)")
        .option("-i, --input <json>", "what its runs are started with: JSON, @file, or - for standard input")
        .addOption(overlapOption())
        .option("--jitter <duration>", "run each occurrence up to so much later", parseDuration)
        .option("--catch-up <duration>", "how late an occurrence may be run (1h)", parseDuration)
        .option("--catch-up-all", "run all late occurrences, and not the last one alone")
        .option("--start-at <time>", "occurrences before it are none", parseMoment)
        .option("--end-at <time>", "occurrences after it are none", parseMoment)
        .option("--run-timeout <duration>", "how long each run may take", parseDuration),
      io,
    ),
  );
}

function overlapOption(): Option {
  return new Option("--overlap <policy>", "what to do while an earlier run goes on").choices(OVERLAP_POLICIES);
}

function triggerOptions(flags: OverlapFlags): TriggerOptions {
  const { overlap } = flags;
  return { ...(overlap === undefined ? {} : { overlap }), ...reasonOf(flags) };
}

async function changesOf(flags: SetFlags, io: CliIo): Promise<ScheduleChanges> {
  const read = (text: string, flag: string): Promise<unknown> => readJsonArgument(text, flag, io);
  const given = {
    cron: flags.cron,
    everyMs: flags.every,
    offsetMs: flags.offset,
    calendars: flags.calendars === undefined ? undefined : await read(flags.calendars, "--calendars"),
    excluding: flags.excluding === undefined ? undefined : await read(flags.excluding, "--excluding"),
    timeZone: flags.timeZone,
    input: flags.input === undefined ? undefined : await read(flags.input, "--input"),
    overlap: flags.overlap,
    jitterMs: flags.jitter,
    catchUpMs: flags.catchUp,
    catchUp: flags.catchUpAll === true ? "all" : undefined,
    startAt: flags.startAt,
    endAt: flags.endAt,
    runTimeoutMs: flags.runTimeout,
  };
  // What is in it is checked where it is used.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function done(
  flags: ClientFlags,
  io: CliIo,
  text: string,
  json: object,
  act: (schedules: Schedules) => Promise<void>,
): Promise<void> {
  await withClient(flags, io, async ({ workflows }) => act(workflows.schedules));
  if (flags.json === true) printJson(io, json);
  else io.out(`${text}\n`);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0 && count <= 100) return count;
  throw new InvalidArgumentError("Write a whole number from 0 to 100.");
}
