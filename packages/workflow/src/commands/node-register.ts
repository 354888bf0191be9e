/** NodeRegister: a process of a node is ready to execute these types. Its predecessor's runs become its own, and so do runs without an owner. */
import type { NodeId } from "@raftoral/raft-core";
import { type TypeVersion, typeVersionCodec } from "../model/type-version.ts";
import type { NodeRecord } from "../nodes/node-record.ts";
import { messages, string, uint } from "../wire/fields.ts";
import { defineCommand } from "./command.ts";
import { refused } from "./refusal.ts";
import type { Moved } from "./results.ts";

/** See the file's head. */
export interface NodeRegister {
  readonly kind: "NodeRegister";
  readonly nodeId: NodeId;
  /** Differs from process to process of one node. */
  readonly incarnation: string;
  readonly types: readonly TypeVersion[];
  readonly atMs: number;
}

export const nodeRegister = defineCommand<NodeRegister, Moved>({
  kind: "NodeRegister",
  field: 19,
  summary: "Makes a process known as one that executes workflows.",
  maxRuns: Number.POSITIVE_INFINITY,
  fields: { nodeId: uint(1), incarnation: string(2), types: messages(3, typeVersionCodec), atMs: uint(4) },
  apply(tables, { nodeId, incarnation, types }) {
    if (nodeId === 0) return refused("NODE_NOT_REGISTERED", "Node 0 stands for no node and cannot register");
    const before = tables.nodes.get(nodeId);
    if (before !== undefined && isSame(before, incarnation, types)) {
      return { ok: true, kind: "Moved", moved: 0, orphaned: 0 };
    }
    tables.nodes.put(nodeId, incarnation, "live", types);
    const { index, clock: atMs } = tables;
    tables.events.push({ type: "node-changed", index, atMs, nodeId, incarnation, status: "live" });
    let moved = 0;
    let orphaned = 0;
    for (const run of tables.runs.ownedBy(nodeId)) {
      const stays = tables.nodes.canTake(nodeId, run.workflowType, run.version);
      const to = stays ? nodeId : tables.nodes.choose(run.workflowType, run.version, tables.loadOf);
      tables.assign(run, to, "restart");
      moved += 1;
      if (to === 0) orphaned += 1;
    }
    for (const run of tables.runs.ownedBy(0)) {
      const to = tables.nodes.choose(run.workflowType, run.version, tables.loadOf);
      if (to === 0) continue;
      tables.assign(run, to, "adoption");
      moved += 1;
    }
    return { ok: true, kind: "Moved", moved, orphaned };
  },
});

function isSame(node: NodeRecord, incarnation: string, types: readonly TypeVersion[]): boolean {
  if (node.status !== "live" || node.incarnation !== incarnation || node.types.length !== types.length) return false;
  const sought = new Set(types.map(({ type, version }) => `${version}:${type}`));
  return sought.size === node.capabilities.size && [...sought].every((capability) => node.capabilities.has(capability));
}
