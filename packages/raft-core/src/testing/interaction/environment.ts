/**
 * The environment in which interaction scripts run: nodes, the messages between them, and the commands that move both.
 *
 * Role: makes every step of a Raft group visible as text, so that behaviour can be recorded and compared message by message.
 * Nothing happens unless a command says so: no clock, no network, no thread. The commands are in files beside this one.
 */
import { invariant } from "../../errors.ts";
import type { Message } from "../../message.ts";
import type { NodeId } from "../../types.ts";
import { ScriptError } from "../datadriven/arguments.ts";
import type { ScriptRunner } from "../datadriven/run-script.ts";
import type { Directive } from "../datadriven/script.ts";
import { CommandError } from "./command-error.ts";
import { inputCommands } from "./input-commands.ts";
import type { InteractionNode } from "./interaction-node.ts";
import { messageCommands } from "./message-commands.ts";
import { nodeCommands } from "./node-commands.ts";
import { Output } from "./output.ts";
import { printCommands } from "./print-commands.ts";
import { processCommands } from "./process-commands.ts";
import { stabilizeCommands } from "./stabilize-command.ts";

/** Carries out a directive, writing to the environment's output. A CommandError thrown is part of what it prints. */
export type Command = (env: InteractionEnvironment, directive: Directive) => void;

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

export interface InteractionOptions {
  /**
   * Lets the nodes behave as etcd/raft does where this core differs on purpose (etcd-form.ts). Only for scripts that were
   * recorded with etcd/raft: what etcd/raft does there is not safe, or not live. Default: false.
   */
  readonly likeEtcd?: boolean;
}

export class InteractionEnvironment {
  readonly likeEtcd: boolean;
  /** In order of ids, which are 1, 2, 3 and so on. */
  readonly nodes: InteractionNode[] = [];
  /** Sent and not delivered, oldest first. */
  messages: Message[] = [];
  readonly output = new Output();

  constructor({ likeEtcd = false }: InteractionOptions = {}) {
    this.likeEtcd = likeEtcd;
  }

  /** Carries out one directive and returns what it prints: `ok` if nothing. */
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

  node(id: NodeId): InteractionNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new ScriptError(`there is no node ${id}`);
    invariant(node.id === id, `node ${node.id} is at the place of node ${id}`);
    return node;
  }
}

/** A runner of one interaction script, in a fresh environment. */
export function interactionScript(options: InteractionOptions = {}): ScriptRunner {
  const env = new InteractionEnvironment(options);
  return (directive) => env.handle(directive);
}
