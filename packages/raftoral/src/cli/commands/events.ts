import { type Command, Option } from "commander";
import { EVENT_TYPES, type EventFilter } from "../../api/events.ts";
import {
  addClientOptions,
  addConsistency,
  type ClientFlags,
  consistencyOf,
  type ReadFlags,
  withClient,
} from "../client-command.ts";
import { eventLine, plainEvent } from "../event-lines.ts";
import type { CliIo } from "../io.ts";

interface EventsFlags extends ClientFlags, ReadFlags {
  readonly run?: string;
  readonly type?: string;
  readonly event?: EventFilter["types"];
  readonly after?: string;
  readonly oldest?: boolean;
  readonly values?: boolean;
  readonly follow?: boolean;
}

/** `raftoral events`: what happens to the runs of the cluster, one event on each line. */
export function addEvents(program: Command, io: CliIo): void {
  const command = program
    .command("events")
    .summary("print what happens to runs")
    .description(
      "Print what happened to runs, oldest first: what the node keeps, or with --follow what happens from now on, until you interrupt it.",
    )
    .option("--run <id>", "of this run only")
    .option("--type <type>", "of runs of this workflow type only")
    .addOption(new Option("--event <types...>", "of these types only").choices(EVENT_TYPES))
    .option("--after <position>", "what follows this event (its position is in --json)")
    .option("--oldest", "with --follow: what the node keeps first")
    .option("--values", "with inputs, results and values")
    .option("-f, --follow", "wait for further events")
    .addHelpText("after", "\nExample:\n  $ raftoral events --follow --event run-ended run-stuck");
  addConsistency(addClientOptions(command, io)).action(async (flags: EventsFlags) => {
    const { run, type, event, after, oldest = false, values = false, follow = false } = flags;
    const stop = new AbortController();
    const unlisten = io.onSignal(() => stop.abort());
    try {
      await withClient(flags, io, async (client) => {
        const limit = follow ? { signal: stop.signal } : { timeoutMs: flags.timeout, signal: stop.signal };
        const filter = {
          ...(run === undefined ? {} : { runId: run }),
          ...(type === undefined ? {} : { workflowType: type }),
          ...(event === undefined ? {} : { types: event }),
          ...(after === undefined ? {} : { after }),
        };
        const from = follow && !oldest ? "now" : "oldest";
        for await (const each of client.workflows.events({
          ...limit,
          ...consistencyOf(flags),
          ...filter,
          from,
          values,
          follow,
        }))
          io.out(`${flags.json === true ? JSON.stringify(plainEvent(each)) : eventLine(each)}\n`);
      });
    } catch (error) {
      // Interrupted by its user: that is the end of it.
      if (!stop.signal.aborted) throw error;
    } finally {
      unlisten();
    }
  });
}
