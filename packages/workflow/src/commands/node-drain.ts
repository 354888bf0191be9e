/** NodeDrain: a node is about to stop; all of its runs go to others. */
import type { NodeId } from "@raftoral/raft-core";
import { string, uint } from "../wire/fields.ts";
import { defineCommand } from "./command.ts";
import { leave } from "./leave.ts";
import type { Moved } from "./results.ts";

/** See the file's head. */
export interface NodeDrain {
  readonly kind: "NodeDrain";
  readonly nodeId: NodeId;
  readonly incarnation: string;
  readonly atMs: number;
}

export const nodeDrain = defineCommand<NodeDrain, Moved>({
  kind: "NodeDrain",
  field: 21,
  summary: "Hands the runs of a node that is about to stop to others.",
  maxRuns: Number.POSITIVE_INFINITY,
  fields: { nodeId: uint(1), incarnation: string(2), atMs: uint(3) },
  apply: (tables, command) => leave(tables, command, "draining", "drain", false),
});
