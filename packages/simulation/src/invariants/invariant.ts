/** What an invariant may look at, and when. Each is a class with a name; the hooks it does not need it leaves out. */
import type { ConfState, Entry, LogIndex, Message, NodeId, Term } from "@raftoral/raft-core";
import type { KvCommand } from "../machine/kv-command.ts";
import type { ObservedNode } from "../node/observed-node.ts";

export interface Invariant {
  readonly name: string;
  /** A process of a node has loaded what its disk holds. */
  started?(node: ObservedNode): void;
  /** `entries` are about to be put into a node's log, replacing what is at their indexes and beyond. */
  appended?(node: ObservedNode, entries: readonly Entry[]): void;
  /** A received snapshot replaced a node's log. */
  restored?(node: ObservedNode): void;
  /** On a node, `confState` is in force once `index` is applied: by an entry there, or by a snapshot that stands there. */
  configured?(node: ObservedNode, index: LogIndex, confState: ConfState): void;
  /** A message leaves a node. */
  sent?(node: ObservedNode, message: Message): void;
  /** A command was applied on a node; `digest` covers everything up to it. */
  applied?(nodeId: NodeId, index: LogIndex, command: KvCommand, digest: number): void;
  /** An event that may have changed the node is over. `node.before` is what was before it. */
  afterEvent?(node: ObservedNode): void;
}

/** What was committed, as the first node knew that did; shared by the invariants that need it. */
export interface CommittedEntry {
  readonly term: Term;
  /** The leader's term in which it was committed. */
  readonly inTerm: Term;
}

/** Reports a violation: of the invariant with this name. */
export type Report = (invariant: string, message: string) => void;
