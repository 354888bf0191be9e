/** A node as it has registered, and its record in the store, which is its record in a snapshot as well. */
import type { NodeId } from "@raftoral/raft-core";
import type { BehaviourLevel } from "../model/runs/run-needs.ts";
import { type TypeVersion, typeVersionCodec } from "../model/type-version.ts";
import { bool, messages, named, string, uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";
import type { Seat } from "./seat.ts";

/** Live: takes runs. Draining: stops soon. Lost: has been silent too long. */
export type NodeStatus = "live" | "draining" | "lost";

/** Positions are the numbers in the state's records. */
const NODE_STATUSES = ["live", "draining", "lost"] as const satisfies readonly NodeStatus[];

/** What is stored of a node. */
export interface NodeFacts {
  readonly nodeId: NodeId;
  /** Differs from process to process of one node. */
  readonly incarnation: string;
  readonly status: NodeStatus;
  readonly types: readonly TypeVersion[];
  /** Where its runs are while it is live; 0 while it is not (node-table.ts NT1). */
  readonly seat: Seat;
  /** Behaviours of the engine that the process has. */
  readonly behaviourLevel: BehaviourLevel;
  /** Whether the process has an archive hook. */
  readonly archives: boolean;
}

/** A registered node. */
export interface NodeRecord extends NodeFacts {
  /** Ascending by type, then version. */
  readonly types: readonly TypeVersion[];
  /** The types, each as {@link capability} writes it. */
  readonly capabilities: ReadonlySet<string>;
}

export const nodeCodec = messageCodec<NodeFacts>(
  {
    nodeId: uint(1),
    incarnation: string(2),
    status: named(3, NODE_STATUSES, "node status"),
    types: messages(4, typeVersionCodec),
    seat: uint(5),
    behaviourLevel: uint(40),
    archives: bool(100),
  },
  {},
);

/** A node with its types in order. */
export function nodeRecord({ types, ...facts }: NodeFacts): NodeRecord {
  const sorted = [...types].sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : a.version - b.version));
  const capabilities = new Set(sorted.map(({ type, version }) => capability(type, version)));
  return { ...facts, types: sorted, capabilities };
}

/** One type and version, as a text that no other has. */
export function capability(type: string, version: number): string {
  return `${version}:${type}`;
}
