/** A node goes: what NodeLost and NodeDrain have in common. */
import type { NodeId } from "@raftoral/raft-core";
import type { OwnerReason } from "../model/runs/ownership.ts";
import type { NodeStatus } from "../nodes/node-record.ts";
import type { Tables } from "../state/tables.ts";
import { type Refused, refused } from "./refusal.ts";
import type { Moved } from "./results.ts";
import { movePiece } from "./runs/move-runs.ts";

/** Takes a node's runs from it. With `forget`, its registration too. */
export function leave(
  tables: Tables,
  { nodeId, incarnation }: { readonly nodeId: NodeId; readonly incarnation: string },
  status: Exclude<NodeStatus, "live">,
  reason: OwnerReason,
  forget: boolean,
): Moved | Refused {
  const { index, clock: atMs, lastEpoch: epoch } = tables;
  const node = tables.nodes.get(nodeId);
  if (node === undefined) {
    return refused("NODE_NOT_REGISTERED", `Node ${nodeId} has not registered, so it owns nothing. Register it first.`);
  }
  if (node.incarnation !== incarnation) {
    return refused(
      "NODE_NOT_REGISTERED",
      `Node ${nodeId} has registered another process meanwhile. Name that process.`,
      {
        incarnation: node.incarnation,
      },
    );
  }
  const gone = { type: "node-changed", index, atMs, nodeId, incarnation, epoch } as const;
  if (forget) {
    tables.nodes.forget(node, reason);
    tables.events.push({ ...gone, status: "forgotten" });
  } else if (node.status !== status) {
    tables.nodes.leave(node, status, reason);
    tables.events.push({ ...gone, status });
  }
  tables.queues.wakeAll();
  return movePiece(tables);
}
