/** What interaction scripts act on: nodes, the messages between them, and what was printed. */
import { invariant } from "../../errors.ts";
import type { Message } from "../../message.ts";
import type { NodeId } from "../../types.ts";
import { ScriptError } from "../datadriven/arguments.ts";
import type { Directive } from "../datadriven/script.ts";
import type { InteractionNode } from "./interaction-node.ts";
import { Output } from "./output.ts";

/** Carries out a directive, writing to the group's output. A CommandError thrown is part of what it prints. */
export type Command = (env: InteractionGroup, directive: Directive) => void;

/** How the nodes of a script behave. */
export interface InteractionOptions {
  /**
   * Lets the nodes behave as etcd/raft does where this core differs on purpose (etcd-form.ts). Only for scripts that were
   * recorded with etcd/raft: what etcd/raft does there is not safe, or not live. Default: false.
   */
  readonly likeEtcd?: boolean;
}

/** The nodes of a script, and the messages between them. */
export class InteractionGroup {
  readonly likeEtcd: boolean;
  /** In order of ids, which are 1, 2, 3 and so on. */
  readonly nodes: InteractionNode[] = [];
  /** Sent and not delivered, oldest first. */
  messages: Message[] = [];
  readonly output = new Output();

  constructor({ likeEtcd = false }: InteractionOptions = {}) {
    this.likeEtcd = likeEtcd;
  }

  /** Throws ScriptError for a node that is not there. */
  node(id: NodeId): InteractionNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new ScriptError(`there is no node ${id}`);
    invariant(node.id === id, `node ${node.id} is at the place of node ${id}`);
    return node;
  }
}
