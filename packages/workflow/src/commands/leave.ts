/** A node goes: what NodeLost and NodeDrain have in common. */
import type { NodeId } from "@raftoral/raft-core";
import type { OwnerReason } from "../model/ownership.ts";
import type { NodeStatus } from "../nodes/node-record.ts";
import type { Tables } from "../state/tables.ts";
import { type Refused, refused } from "./refusal.ts";
import type { Moved } from "./results.ts";

/** Takes a node's runs from it. With `forget`, its registration too. */
export function leave(
  tables: Tables,
  { nodeId, incarnation }: { readonly nodeId: NodeId; readonly incarnation: string },
  status: NodeStatus,
  reason: OwnerReason,
  forget: boolean,
): Moved | Refused {
  const { index, clock: atMs } = tables;
  const node = tables.nodes.get(nodeId);
  if (node === undefined) {
    return refused("NODE_NOT_REGISTERED", `Node ${nodeId} has not registered, so it owns nothing`);
  }
  if (node.incarnation !== incarnation) {
    return refused("NODE_NOT_REGISTERED", `Node ${nodeId} has registered another process meanwhile`, {
      incarnation: node.incarnation,
    });
  }
  if (forget) {
    tables.nodes.remove(nodeId);
    tables.events.push({ type: "node-changed", index, atMs, nodeId, incarnation, status: "forgotten" });
  } else if (node.status !== status) {
    tables.nodes.setStatus(node, status);
    tables.events.push({ type: "node-changed", index, atMs, nodeId, incarnation, status });
  }
  let moved = 0;
  let orphaned = 0;
  for (const run of tables.runs.ownedBy(nodeId)) {
    const to = tables.nodes.choose(run.workflowType, run.version, tables.loadOf);
    tables.assign(run, to, reason);
    moved += 1;
    if (to === 0) orphaned += 1;
  }
  return { ok: true, kind: "Moved", moved, orphaned };
}
