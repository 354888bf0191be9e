import { type Command, InvalidArgumentError } from "commander";
import { jsonText } from "../../api/payloads/bytes-as-json.ts";
import {
  addClientOptions,
  addConsistency,
  type ClientFlags,
  consistencyOf,
  type ReadFlags,
  withClient,
} from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { visible } from "../visible.ts";

interface StreamFlags extends ClientFlags, ReadFlags {
  readonly from?: number;
  readonly follow?: boolean;
}

/** `raftoral stream ID NAME`: the chunks of a run's stream, one on each line. */
export function addStream(program: Command, io: CliIo): void {
  const command = program
    .command("stream")
    .summary("read a stream of a run")
    .description(
      "Print the chunks of a stream that a run writes: text as it is, other values as JSON. Without --follow those that are there now.",
    )
    .argument("<id>", "the run's id")
    .argument("<name>", "the stream's name, as in ctx.stream(name)")
    .option("--from <offset>", "first chunk to print (the first one that is kept)", parseOffset)
    .option("-f, --follow", "wait for further chunks, until the stream or its run ends")
    .addHelpText("after", "\nExample:\n  $ raftoral stream A17 tokens --follow");
  addConsistency(addClientOptions(command, io)).action(async (runId: string, name: string, flags: StreamFlags) => {
    const { from, follow = false } = flags;
    const stop = new AbortController();
    const unlisten = io.onSignal(() => stop.abort());
    try {
      await withClient(flags, io, async (client) => {
        const limit = follow ? { signal: stop.signal } : { timeoutMs: flags.timeout, signal: stop.signal };
        const options = { ...limit, ...consistencyOf(flags), follow, ...(from === undefined ? {} : { from }) };
        for await (const chunk of client.workflows.stream(runId, name, options)) {
          const { value } = chunk;
          const text = typeof value === "string" ? visible(value) : jsonText(value);
          const shown = flags.json === true ? jsonText(chunk) : text;
          io.out(`${shown ?? ""}\n`);
        }
      });
    } catch (error) {
      // Interrupted by its user: that is the end of it.
      if (!stop.signal.aborted) throw error;
    } finally {
      unlisten();
    }
  });
}

function parseOffset(text: string): number {
  const offset = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(offset)) return offset;
  throw new InvalidArgumentError("Write a whole number from 0.");
}
