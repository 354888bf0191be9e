/** Which node a run of a queue goes to (admission.ts Q2). */
import type { RunNeeds } from "../../model/runs/run-needs.ts";
import type { NodeRecord } from "../../nodes/node-record.ts";
import type { NodeTable } from "../../nodes/node-table.ts";
import type { Seat } from "../../nodes/seat.ts";
import { type Queue, runsOn } from "./queue.ts";

/** More than a node has runs. */
const MANY = 2 ** 24;

/** What is known of nodes. */
interface Nodes {
  readonly nodes: Pick<NodeTable, "choose">;
  /** Runs on a seat. */
  readonly loadOf: (seat: Seat) => number;
}

/** The live node that can do what a run needs, with the fewest runs of the queue, then with the fewest in all; on no seat of `except`. */
export function nodeOf(
  { nodes, loadOf }: Nodes,
  queue: Queue,
  needs: RunNeeds,
  except: readonly Seat[] = [],
): NodeRecord | undefined {
  const load = (seat: Seat): number => {
    return hasRoom(queue, seat) ? runsOn(queue, seat) * MANY + loadOf(seat) : Number.POSITIVE_INFINITY;
  };
  return nodes.choose(needs, load, except);
}

/** Whether a seat may have one more run of the queue. */
export function hasRoom(queue: Queue, seat: Seat): boolean {
  const { perNode } = queue.limits;
  return perNode === 0 || runsOn(queue, seat) < perNode;
}
