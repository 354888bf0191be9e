import { type AttributeValues, ID_POLICIES, type IdPolicy } from "@raftoral/workflow";
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { jsonText } from "../../api/payloads/bytes-as-json.ts";
import { parseAttribute } from "../attribute-argument.ts";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import { parseDuration, parseMoment } from "../durations.ts";
import type { CliIo } from "../io.ts";
import { addFile, type FileFlag, readValue } from "../json-argument.ts";
import { visible } from "../visible.ts";

interface RunFlags extends ClientFlags, FileFlag {
  readonly input?: string;
  readonly id?: string;
  readonly version?: number;
  readonly wait?: boolean;
  readonly runTimeout?: number;
  readonly delay?: number;
  readonly startAt?: Date;
  readonly attribute?: AttributeValues;
  readonly ifExists?: IdPolicy;
  readonly queue?: string;
  readonly key?: string;
  readonly priority?: number;
  readonly dedupeKey?: string;
  readonly debounce?: number;
}

const EXAMPLES = `
Examples:
  $ raftoral run process_order --input '{"id":"A17","item":"tea","total":40}' --id A17 --wait
  $ raftoral run process_order --input @order.json
  $ jq -c .order mail.json | raftoral run process_order --input - --json`;

/** `raftoral run TYPE`: starts a run, and waits for its result if asked to. */
export function addRun(program: Command, io: CliIo): void {
  const command = program
    .command("run")
    .summary("start a workflow")
    .description("Start a workflow. Starting twice with the same --id is one run.")
    .argument("<type>", "the workflow's type")
    .option("-i, --input <json>", "its input: JSON, @file, or - for standard input")
    .option("--id <id>", "the run's id (default: a random one)")
    .option("--version <n>", "the workflow's version (default: the newest registered)", parseVersion)
    .option("--run-timeout <duration>", "how long the run may take, e.g. 10m; it has then failed", parseDuration)
    .option("--delay <duration>", "begin so long after the call, e.g. 10m", parseDuration)
    .option("--start-at <time>", "begin at a time, e.g. 2026-03-29T02:30:00+01:00", parseMoment)
    .option("--attribute <name=value>", "what the run is found by, e.g. customer=ada (repeatable)", parseAttribute)
    .option("--queue <name>", "the queue in which it waits until it is let through")
    .option("--key <key>", "what it shares the queue's limit of each key and its turn with")
    .option("--priority <n>", "a higher number goes first, from -1000 to 1000 (0)", Number)
    .option("--dedupe-key <key>", "while an open run of the queue has it, that run is the one")
    .option(
      "--debounce <duration>",
      "wait so long for another start with the dedupe key, whose input is taken then",
      parseDuration,
    )
    .addOption(
      new Option("--if-exists <policy>", "what to do with a run that has the id")
        .choices(ID_POLICIES)
        .default("use-existing"),
    )
    .option("-w, --wait", "wait for the result and print it; --timeout limits how long")
    .addHelpText("after", EXAMPLES);
  addClientOptions(addFile(command, "input"), io).action(async (type: string, flags: RunFlags) => {
    const input = await readValue(flags.input, flags, "--input", io);
    await withClient(flags, io, async (client) => {
      const run = await client.workflows.start(type, input, {
        ...(flags.id === undefined ? {} : { runId: flags.id }),
        ...(flags.version === undefined ? {} : { version: flags.version }),
        ...(flags.runTimeout === undefined ? {} : { runTimeoutMs: flags.runTimeout }),
        ...(flags.delay === undefined ? {} : { delayMs: flags.delay }),
        ...(flags.startAt === undefined ? {} : { startAt: flags.startAt }),
        ...(flags.ifExists === undefined ? {} : { idPolicy: flags.ifExists }),
        ...(flags.attribute === undefined ? {} : { attributes: flags.attribute }),
        ...(flags.queue === undefined ? {} : { queue: flags.queue }),
        ...(flags.key === undefined ? {} : { key: flags.key }),
        ...(flags.priority === undefined ? {} : { priority: flags.priority }),
        ...(flags.dedupeKey === undefined ? {} : { dedupeKey: flags.dedupeKey }),
        ...(flags.debounce === undefined ? {} : { debounceMs: flags.debounce }),
      });
      if (flags.wait !== true) {
        const { runId, created } = run;
        if (flags.json === true) printJson(io, { runId, created });
        else {
          const shown = visible(runId);
          io.out(created === false ? `Run ${shown} was there already.\n` : `Started run ${shown}.\n`);
        }
        return;
      }
      // Someone who waits without a limit of their own waits for as long as it takes.
      const isLimited = command.getOptionValueSource("timeout") !== "default";
      const result = await run.result(isLimited ? { timeoutMs: flags.timeout } : {});
      if (flags.json === true) printJson(io, { runId: run.runId, created: run.created, result: result ?? null });
      else io.out(`${jsonText(result ?? null, 2)}\n`);
    });
  });
}

function parseVersion(text: string): number {
  const version = Number(text);
  if (Number.isSafeInteger(version) && version > 0) return version;
  throw new InvalidArgumentError("A version is a whole number above 0.");
}
