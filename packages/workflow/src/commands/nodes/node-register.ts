/**
 * NodeRegister: a process of a node is ready to execute these types. It takes a new seat; the runs of its predecessor, and runs that waited for such a node, are
 * moved in pieces, the first with this command.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { BehaviourLevel } from "../../model/runs/run-needs.ts";
import { type TypeVersion, typeVersionCodec } from "../../model/type-version.ts";
import type { NodeRecord } from "../../nodes/node-record.ts";
import type { Registration } from "../../nodes/node-table.ts";
import { bool, messages, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { refused } from "../refusal.ts";
import type { Moved } from "../results.ts";
import { MAX_MOVED_AT_ONCE, movePiece } from "../runs/move-runs.ts";

/** Longest name of a workflow type, in UTF-16 units. */
const MAX_TYPE_LENGTH = 200;

/**
 * Registers a process with the types that it executes. The same process with the same types and behaviours again changes nothing. Refused with NODE_NOT_REGISTERED
 * for node 0, and with NAME_INVALID for a type with a long name.
 */
export interface NodeRegister {
  readonly kind: "NodeRegister";
  readonly nodeId: NodeId;
  /** Differs from process to process of one node. */
  readonly incarnation: string;
  readonly types: readonly TypeVersion[];
  readonly atMs: number;
  /** Behaviours of the engine that it has. Absent: none. */
  readonly behaviourLevel?: BehaviourLevel;
  /** Whether it has an archive hook (runs/prune.ts PU6). Absent: it has none. */
  readonly archives?: boolean;
}

export const nodeRegister = defineCommand<NodeRegister, Moved>({
  kind: "NodeRegister",
  field: 19,
  summary: "Makes a process known as one that executes workflows.",
  maxRuns: MAX_MOVED_AT_ONCE,
  fields: {
    nodeId: uint(1),
    incarnation: string(2),
    types: messages(3, typeVersionCodec),
    atMs: uint(4),
    behaviourLevel: optional(uint(40)),
    archives: optional(bool(100)),
  },
  apply(tables, { nodeId, incarnation, types, behaviourLevel = 0, archives = false }) {
    if (nodeId === 0)
      return refused("NODE_NOT_REGISTERED", "Node 0 stands for no node. Register under the id of a node.");
    const long = types.find(({ type }) => type.length > MAX_TYPE_LENGTH);
    if (long !== undefined) {
      return refused(
        "NAME_INVALID",
        `Node ${nodeId} registers a workflow type of ${long.type.length} characters. Give it a name of at most ${MAX_TYPE_LENGTH}.`,
      );
    }
    const before = tables.nodes.get(nodeId);
    if (before !== undefined && isSame(before, { nodeId, incarnation, types, behaviourLevel, archives })) {
      return { ok: true, kind: "Moved", moved: 0, orphaned: 0, left: tables.toMove };
    }
    const { index, clock: atMs, lastEpoch: epoch } = tables;
    tables.salt = incarnation;
    // The place of the registration in the log names the seat: no other registration has it.
    tables.nodes.register({ nodeId, incarnation, types, behaviourLevel, archives }, index);
    tables.events.push({ type: "node-changed", index, atMs, nodeId, incarnation, status: "live", epoch });
    tables.queues.wakeAll();
    return movePiece(tables);
  },
});

function isSame(node: NodeRecord, { incarnation, types, behaviourLevel, archives }: Registration): boolean {
  if (node.status !== "live" || node.incarnation !== incarnation || node.types.length !== types.length) return false;
  if (node.behaviourLevel !== behaviourLevel || node.archives !== archives) return false;
  const sought = new Set(types.map(({ type, version }) => `${version}:${type}`));
  return sought.size === node.capabilities.size && [...sought].every((capability) => node.capabilities.has(capability));
}
