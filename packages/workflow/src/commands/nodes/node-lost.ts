/** NodeLost: a node is gone. Its seat is vacated, and its runs go to others in pieces, the first with this command. Refused when another process of it has registered meanwhile. */
import type { NodeId } from "@raftoral/raft-core";
import { bool, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { leave } from "../leave.ts";
import type { Moved } from "../results.ts";
import { MAX_MOVED_AT_ONCE } from "../runs/move-runs.ts";

/** Reports the loss of a process of a node. Refused with NODE_NOT_REGISTERED when the node has another process meanwhile. */
export interface NodeLost {
  readonly kind: "NodeLost";
  readonly nodeId: NodeId;
  readonly incarnation: string;
  readonly atMs: number;
  /** The node left the cluster for good. */
  readonly forget: boolean;
}

export const nodeLost = defineCommand<NodeLost, Moved>({
  kind: "NodeLost",
  field: 20,
  summary: "Takes a node for dead and gives its runs to others.",
  maxRuns: MAX_MOVED_AT_ONCE,
  fields: { nodeId: uint(1), incarnation: string(2), atMs: uint(3), forget: bool(4) },
  apply: (tables, command) => leave(tables, command, "lost", "node-failure", command.forget),
});
