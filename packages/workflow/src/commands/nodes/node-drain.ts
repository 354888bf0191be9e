/** NodeDrain: a node is about to stop. Its seat is vacated, and its runs go to others in pieces, the first with this command. */
import type { NodeId } from "@raftoral/raft-core";
import { string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { leave } from "../leave.ts";
import type { Moved } from "../results.ts";
import { MAX_MOVED_AT_ONCE } from "../runs/move-runs.ts";

/** Announces that a process of a node stops. Refused with NODE_NOT_REGISTERED when the node has another process meanwhile. */
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
  maxRuns: MAX_MOVED_AT_ONCE,
  fields: { nodeId: uint(1), incarnation: string(2), atMs: uint(3) },
  apply: (tables, command) => leave(tables, command, "draining", "drain", false),
});
