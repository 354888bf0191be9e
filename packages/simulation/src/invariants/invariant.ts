/**
 * What an invariant may look at, and when. Each is a class with a name; the hooks it does not need it leaves out.
 *
 * An invariant lives as long as the run. What it knows of a node outlives the node's processes, so that a crash forgets nothing
 * that was promised or seen before it.
 */
import type { ConfState, LogIndex, NodeId } from "@raftoral/raft-core";
import type { Entry, Message, ReadState } from "@raftoral/raft-core/core";
import type { KvCommand } from "../machine/kv-command.ts";
import type { Observed } from "./observed.ts";

export interface Invariant {
  readonly name: string;
  /** A process of a node has loaded what its disk holds. */
  started?(node: Observed): void;
  /** A process is about to end, by a crash or otherwise. */
  ended?(node: Observed): void;
  /** `entries` are about to be put into a node's log, replacing what is at their indexes and beyond. */
  appended?(node: Observed, entries: readonly Entry[]): void;
  /** A received snapshot replaced a node's log. */
  restored?(node: Observed): void;
  /** On a node, `confState` is in force once `index` is applied: by an entry there, or by a snapshot that stands there. */
  configured?(node: Observed, index: LogIndex, confState: ConfState): void;
  /** A leader has just moved its commit index to `index`, because a quorum of the configuration in force holds that entry. */
  counted?(node: Observed, index: LogIndex): void;
  /** A message leaves a node. */
  sent?(node: Observed, message: Message): void;
  /** An entry of any type was applied on a node. */
  applied?(node: Observed, entry: Entry): void;
  /** A learner's disk is empty again: what its former processes told binds no node. */
  wiped?(nodeId: NodeId): void;
  /** A linearizable read was asked for on a node. */
  readAsked?(node: Observed, context: Uint8Array): void;
  /** The core said that a read may be answered once its index is applied. */
  readConfirmed?(node: Observed, read: ReadState): void;
  /** A command was carried out by a node's state machine; `digest` covers it and all before it. */
  executed?(nodeId: NodeId, index: LogIndex, command: KvCommand, digest: number): void;
  /** A node's state machine was put back to what it was after the command at `index`, with the digest of then. */
  recovered?(nodeId: NodeId, index: LogIndex, digest: number): void;
  /** An event that may have changed the node is over. `node.before` is what was before it. */
  afterEvent?(node: Observed): void;
}

/** Reports a violation: of the invariant with this name. */
export type Report = (invariant: string, message: string) => void;
