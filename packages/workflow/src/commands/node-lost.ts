/** NodeLost: a node is gone; all of its runs go to others. Refused when another process of it has registered meanwhile. */
import type { NodeId } from "@raftoral/raft-core";
import { bool, string, uint } from "../wire/fields.ts";
import { defineCommand } from "./command.ts";
import { leave } from "./leave.ts";
import type { Moved } from "./results.ts";

/** See the file's head. */
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
  maxRuns: Number.POSITIVE_INFINITY,
  fields: { nodeId: uint(1), incarnation: string(2), atMs: uint(3), forget: bool(4) },
  apply: (tables, command) => leave(tables, command, "lost", "node-failure", command.forget),
});
