/** OwnerChange: moves one run to another node. */

import type { NodeId } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import { needsOf } from "../../model/runs/run-needs.ts";
import { named, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { runningRun } from "../find-run.ts";
import { refused } from "../refusal.ts";
import type { Moved } from "../results.ts";

/** Reasons that this command can name, by their numbers in `raftoral.OwnerChangeReason`. The state knows more of them. */
export const OWNER_CHANGE_CAUSES = ["node-failure", "load-balancing"] as const;

/**
 * Moves a run from one node to another. Refused with STALE_OWNER when `oldOwner` does not own it, and with OWNER_INCAPABLE when `newOwner` cannot
 * execute it.
 */
export interface OwnerChange {
  readonly kind: "OwnerChange";
  readonly runId: string;
  readonly oldOwner: NodeId;
  readonly newOwner: NodeId;
  readonly reason: (typeof OWNER_CHANGE_CAUSES)[number];
  readonly atMs: number;
  /** 0: whatever epoch `oldOwner` has. */
  readonly epoch: Epoch;
}

export const ownerChange = defineCommand<OwnerChange, Moved>({
  kind: "OwnerChange",
  field: 4,
  summary: "Moves one run to another node.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    oldOwner: uint(2),
    newOwner: uint(3),
    reason: named(4, OWNER_CHANGE_CAUSES, "reason of an owner change"),
    atMs: uint(16),
    epoch: uint(17),
  },
  apply(tables, { runId, oldOwner, newOwner, epoch, reason }) {
    const found = runningRun(tables, runId);
    if (!found.ok) return found;
    const { run, head } = found;
    if (head.owner !== oldOwner || (epoch !== 0 && head.epoch !== epoch)) {
      return refused(
        "STALE_OWNER",
        `Run ${runId} belongs to node ${head.owner} at epoch ${head.epoch}. Name that owner.`,
        {
          owner: head.owner,
          epoch: head.epoch,
        },
      );
    }
    if (newOwner === oldOwner) return { ok: true, kind: "Moved", moved: 0, orphaned: 0, left: tables.toMove };
    const node = tables.nodes.taker(newOwner, needsOf(run));
    if (run.queue !== undefined && tables.nodeFor(run, newOwner)?.nodeId !== newOwner) {
      return refused(
        "OWNER_INCAPABLE",
        `Node ${newOwner} cannot take run ${runId}: it has as many runs of queue ${run.queue.name} as it may have, or cannot execute this one. Choose another node, or raise the limit.`,
      );
    }
    if (
      run.queue !== undefined &&
      head.queued?.stage !== "admitted" &&
      tables.queues.get(run.queue.name) !== undefined
    ) {
      return refused(
        "OWNER_INCAPABLE",
        `Node ${newOwner} cannot take run ${runId}: the run waits to be let through queue ${run.queue.name}, or is stuck. Wait until it is let through, or resume it.`,
      );
    }
    if (node === undefined) {
      return refused(
        "OWNER_INCAPABLE",
        `Node ${newOwner} cannot take run ${runId}: it is not live, has not registered ${run.workflowType}@${run.version}, or is of an earlier release than the run. Choose a live node that can.`,
      );
    }
    tables.assign(run, node, reason);
    return { ok: true, kind: "Moved", moved: 1, orphaned: 0, left: tables.toMove };
  },
});
