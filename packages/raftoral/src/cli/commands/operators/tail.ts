import type { Command } from "commander";
import type { EventOptions } from "../../../api/events.ts";
import { addClientOptions, type ClientFlags, withClient } from "../../client-command.ts";
import { eventLine, plainEvent } from "../../event-lines.ts";
import type { CliIo } from "../../io.ts";

/** `raftoral tail [ID]`: what happens, as it happens. */
export function addTail(program: Command, io: CliIo): void {
  const command = program
    .command("tail")
    .summary("follow what happens to a run, or to all")
    .description(
      "Print what has happened to a run as far as the node keeps it, and what happens from then on with all values, until the run has ended. Without an id: what happens to all runs from now on, until you interrupt it.\n" +
        "Lines that bodies write with ctx.log are in the log of the node that executes the run.",
    )
    .argument("[id]", "the run's id")
    .addHelpText("after", "\nExamples:\n  $ raftoral tail A17\n  $ raftoral tail | grep run-ended");
  addClientOptions(command, io).action(async (id: string | undefined, flags: ClientFlags) => {
    const stop = new AbortController();
    const unlisten = io.onSignal(() => stop.abort());
    const begin: EventOptions = id === undefined ? { from: "now" } : { from: "oldest", runId: id };
    try {
      await withClient(flags, io, async ({ workflows }) => {
        // A run that is not there is said to be so; otherwise this would wait for ever.
        const isOver = id !== undefined && (await workflows.describe(id)).endedAtMs !== undefined;
        const options = { ...begin, values: true, follow: !isOver, signal: stop.signal } as const;
        for await (const event of workflows.events(options)) {
          io.out(`${flags.json === true ? JSON.stringify(plainEvent(event)) : eventLine(event)}\n`);
          if (id === undefined || event.type !== "run-ended") continue;
          // A run that was retried goes on behind its end.
          if ((await workflows.describe(id)).endedAtMs !== undefined) return;
        }
      });
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      unlisten();
    }
  });
}
