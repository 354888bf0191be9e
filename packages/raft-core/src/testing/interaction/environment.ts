/**
 * The environment in which interaction scripts run: nodes, the messages between them, and the commands that act on both.
 *
 * Role: makes every step of a Raft group visible as text, so that behaviour can be recorded and compared message by message.
 * Only commands cause steps: there is no clock, no network and no thread. The commands are in files beside this one.
 */
import { ScriptError } from "../datadriven/arguments.ts";
import type { ScriptRunner } from "../datadriven/run-script.ts";
import type { Directive } from "../datadriven/script.ts";
import { CommandError } from "./command-error.ts";
import { inputCommands } from "./input-commands.ts";
import { type Command, InteractionGroup, type InteractionOptions } from "./interaction-group.ts";
import { messageCommands } from "./message-commands.ts";
import { nodeCommands } from "./node-commands.ts";
import { printCommands } from "./print-commands.ts";
import { processCommands } from "./process-commands.ts";
import { stabilizeCommands } from "./stabilize-command.ts";

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    ...nodeCommands,
    ...inputCommands,
    ...messageCommands,
    ...processCommands,
    ...stabilizeCommands,
    ...printCommands,
  }),
);

/** An {@link InteractionGroup} that carries out directives. */
export class InteractionEnvironment extends InteractionGroup {
  /** Carries out one directive and returns its output, or `ok` if there is none. Throws ScriptError for a bad directive. */
  handle(directive: Directive): string {
    const command = COMMANDS.get(directive.command);
    let error = "";
    try {
      if (command === undefined) throw new CommandError("unknown command");
      if (directive.input !== "" && directive.command !== "propose-conf-change") {
        throw new ScriptError(`${directive.command} takes no input`);
      }
      command(this, directive);
    } catch (failure) {
      if (!(failure instanceof CommandError)) {
        this.output.take();
        throw failure;
      }
      error = failure.message;
    }
    const printed = this.output.take() + error;
    return printed === "" ? "ok" : printed;
  }
}

/** A runner of one interaction script, with a new environment. */
export function interactionScript(options: InteractionOptions = {}): ScriptRunner {
  const env = new InteractionEnvironment(options);
  return (directive) => env.handle(directive);
}
