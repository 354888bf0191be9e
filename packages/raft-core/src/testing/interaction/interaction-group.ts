/** The group that interaction scripts act on: nodes, the messages between them, and the output. */
import { invariant } from "../../errors.ts";
import type { Message } from "../../message.ts";
import type { NodeId } from "../../types.ts";
import { ScriptError } from "../datadriven/arguments.ts";
import type { Directive } from "../datadriven/script.ts";
import type { InteractionNode } from "./interaction-node.ts";
import { Output } from "./output.ts";

/** Carries out a directive and writes to the group's output. A thrown CommandError is part of the output. */
export type Command = (env: InteractionGroup, directive: Directive) => void;

/** How the nodes of a script behave. */
export interface InteractionOptions {
  /**
   * Whether the nodes behave as etcd/raft does in the points in which this core differs on purpose (false; etcd-form.ts). Only for scripts
   * that were recorded with etcd/raft: its behaviour in these points is not safe, or not live.
   */
  readonly likeEtcd?: boolean;
}

/** The nodes of a script, and the messages between them. */
export class InteractionGroup {
  readonly likeEtcd: boolean;
  /** The nodes, in the order of their ids 1, 2, 3 and so on. */
  readonly nodes: InteractionNode[] = [];
  /** Messages that were sent and not delivered, oldest first. */
  messages: Message[] = [];
  readonly output = new Output();

  constructor({ likeEtcd = false }: InteractionOptions = {}) {
    this.likeEtcd = likeEtcd;
  }

  /** The node with an id. Throws ScriptError when it does not exist. */
  node(id: NodeId): InteractionNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new ScriptError(`there is no node ${id}`);
    invariant(node.id === id, `node ${node.id} is at the place of node ${id}`);
    return node;
  }
}
