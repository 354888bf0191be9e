/** `raftoral queues`: looks at queues, makes and changes them. */
import { type Command, InvalidArgumentError } from "commander";
import { NodeError } from "../../api/errors.ts";
import type { QueueInfo, QueueLimits, QueueRate } from "../../api/queues/queues.ts";
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
} from "../client-command.ts";
import { formatDuration, parseDuration } from "../durations.ts";
import type { CliIo } from "../io.ts";
import { formatTable } from "../table.ts";
import { visible } from "../visible.ts";

interface DefineFlags extends ChangeFlags {
  readonly concurrency?: number;
  readonly perKey?: number;
  readonly perNode?: number;
  readonly rate?: QueueRate;
}

const EXAMPLES = `
Examples:
  $ raftoral queues
  $ raftoral queues define mail --concurrency 50 --per-key 2 --rate 100/1m
  $ raftoral queues pause mail
  $ raftoral list --queue mail --status queued`;

/** Adds `raftoral queues` with its commands. */
export function addQueues(program: Command, io: CliIo): void {
  const queues = program
    .command("queues")
    .summary("look at queues, make and change them")
    .description("Look at queues, make and change them. Without a command it lists them.")
    .usage("[command]")
    .addHelpText("after", EXAMPLES);
  addList(queues, io);
  addDefine(queues, io);
  addChange(
    queues,
    io,
    "pause",
    "hold back what waits in a queue; runs that are through go on",
    (name) => `Queue ${name} is paused.`,
  );
  addChange(queues, io, "resume", "let runs through a queue again", (name) => `Queue ${name} lets runs through.`);
  addChange(queues, io, "delete", "forget an empty queue", (name) => `Queue ${name} is deleted.`);
}

function addList(queues: Command, io: CliIo): void {
  const command = queues
    .command("list", { isDefault: true })
    .description("List queues: their limits, how many runs wait, and for how long the oldest has.")
    .argument("[name]", "only this one");
  addConsistency(addClientOptions(command, io)).action(
    async (name: string | undefined, flags: ClientFlags & ReadFlags) => {
      const options = consistencyOf(flags);
      const found = await withClient(flags, io, async ({ workflows }) => {
        if (name === undefined) return workflows.queues.list(options);
        const queue = await workflows.queues.get(name, options);
        if (queue !== undefined) return [queue];
        throw new NodeError(
          "REQUEST_INVALID",
          `There is no queue ${name}. raftoral queues lists those that there are.`,
        );
      });
      if (flags.json === true) printJson(io, found);
      else io.out(formatQueues(found, Date.now()));
    },
  );
}

function addDefine(queues: Command, io: CliIo): void {
  const command = queues
    .command("define")
    .description(
      "Make a queue, or give it these limits in the place of those that it has. What is left out is not limited. No run is ended.",
    )
    .argument("<name>", "the queue's name")
    .option("--concurrency <n>", "runs that are executed at once", parseLimit)
    .option("--per-key <n>", "of these, with one key", parseLimit)
    .option("--per-node <n>", "of these, on one node", parseLimit)
    .option("--rate <n/time>", "runs that begin in any such time, e.g. 100/1m", parseRate);
  addReason(addClientOptions(command, io)).action(async (name: string, flags: DefineFlags) => {
    const { concurrency, perKey, perNode, rate } = flags;
    const limits: QueueLimits = {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(perKey === undefined ? {} : { perKey }),
      ...(perNode === undefined ? {} : { perNode }),
      ...(rate === undefined ? {} : { rate }),
    };
    await withClient(flags, io, ({ workflows }) => workflows.queues.define(name, limits, reasonOf(flags)));
    if (flags.json === true) printJson(io, { queue: name, limits });
    else io.out(`Queue ${visible(name)} has the limits: ${limitsText(limits)}.\n`);
  });
}

function addChange(
  queues: Command,
  io: CliIo,
  verb: "pause" | "resume" | "delete",
  what: string,
  said: (name: string) => string,
): void {
  const command = queues
    .command(verb)
    .description(`${what.charAt(0).toUpperCase()}${what.slice(1)}.`)
    .argument("<name>", "the queue's name");
  addReason(addClientOptions(command, io)).action(async (name: string, flags: ChangeFlags) => {
    await withClient(flags, io, ({ workflows }) => workflows.queues[verb](name, reasonOf(flags)));
    if (flags.json === true) printJson(io, { queue: name, done: verb });
    else io.out(`${said(visible(name))}\n`);
  });
}

/** The table of `raftoral queues`. `nowMs` gives the oldest runs their ages. */
export function formatQueues(queues: readonly QueueInfo[], nowMs: number): string {
  if (queues.length === 0) return "No queues.\n";
  return formatTable(
    [
      { title: "QUEUE" },
      { title: "WAITING", align: "right" },
      { title: "DELAYED", align: "right" },
      { title: "RUNNING", align: "right" },
      { title: "OLDEST", align: "right" },
      { title: "LIMITS" },
      { title: "STATE" },
    ],
    queues.map((queue) => [
      queue.name,
      String(queue.waiting),
      String(queue.delayed),
      String(queue.running),
      queue.oldestAtMs === undefined ? "" : formatDuration(nowMs - queue.oldestAtMs),
      limitsText(queue.limits),
      stateOf(queue),
    ]),
  );
}

function stateOf({ closedBy, waiting }: QueueInfo): string {
  if (closedBy === "paused") return "paused";
  return closedBy === undefined || waiting === 0 ? "open" : `waits for ${closedBy}`;
}

function limitsText({ concurrency, perKey, perNode, rate }: QueueLimits): string {
  const texts = [
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
    ...(perKey === undefined ? [] : [`${perKey} per key`]),
    ...(perNode === undefined ? [] : [`${perNode} per node`]),
    ...(rate === undefined ? [] : [`${rate.limit} in ${formatDuration(rate.periodMs)}`]),
  ];
  return texts.length === 0 ? "none" : texts.join(", ");
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new InvalidArgumentError("A limit is a whole number above 0. Leave the option out for no limit.");
}

function parseRate(text: string): QueueRate {
  const [limit = "", period = "", ...more] = text.split("/");
  if (more.length > 0 || period === "")
    throw new InvalidArgumentError("Write a number and a time, for example 100/1m.");
  return { limit: parseLimit(limit), periodMs: parseDuration(period) };
}
