import { type Command, Option } from "commander";
import { type ClusterRunEvent, EVENT_TYPES, type EventFilter } from "../../api/events.ts";
import type { Payload } from "../../api/payloads/payload.ts";
import { addClientOptions, type ClientFlags, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { visible } from "../visible.ts";

interface EventsFlags extends ClientFlags {
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
  addClientOptions(command, io).action(async (flags: EventsFlags) => {
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
        for await (const each of client.workflows.events({ ...limit, ...filter, from, values, follow }))
          io.out(`${flags.json === true ? JSON.stringify(plain(each)) : line(each)}\n`);
      });
    } catch (error) {
      // Interrupted by its user: that is the end of it.
      if (!stop.signal.aborted) throw error;
    } finally {
      unlisten();
    }
  });
}

const PAYLOADS = ["input", "value", "payload", "answer", "result"] as const;

/** The event with values in the place of payloads. */
function plain(event: ClusterRunEvent): Record<string, unknown> {
  const shown: Record<string, unknown> = { ...event };
  for (const field of PAYLOADS) if (field in event) shown[field] = (shown[field] as Payload).toJSON();
  return shown;
}

/** Time, type, run, and what else there is, as `name=value`. */
function line(event: ClusterRunEvent): string {
  const { position: _position, atMs, type, ...rest } = plain(event) as Record<string, unknown> & { atMs: number };
  const { runId, workflowType, error, ...facts } = rest as Record<string, unknown>;
  const words = [new Date(atMs).toISOString(), String(type)];
  if (typeof runId === "string") words.push(visible(runId), visible(`(${String(workflowType)})`));
  for (const [name, value] of Object.entries(facts)) words.push(`${name}=${textOf(value)}`);
  if (error !== undefined) words.push(`error=${textOf((error as { readonly message: string }).message)}`);
  return words.join("  ");
}

function textOf(value: unknown): string {
  if (typeof value === "string" && /^[\w./#:-]+$/.test(value)) return value;
  return visible(JSON.stringify(value) ?? "undefined");
}
