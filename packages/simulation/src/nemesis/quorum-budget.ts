/**
 * How much may be lost for good so that progress can still be asked for in the end.
 *
 * A member that has not applied the latest configuration yet counts votes by an older one. So what counts is every
 * configuration that is in force somewhere, not only the latest.
 */
import type { ConfState, LogIndex, NodeId } from "@raftoral/raft-core";
import { isQuorum } from "../invariants/configurations-overlap.ts";
import type { SimNode } from "../node/sim-node.ts";
import type { World } from "../world/world.ts";

/** Whether a quorum of `confState` is left when `also` is lost too. */
export function hasQuorumLeft(world: World, confState: ConfState, also: NodeId = 0): boolean {
  return isQuorum(confState, (id) => {
    const node = world.nodes.get(id);
    return id !== also && node !== undefined && node.condition !== "lost" && node.disk.platter.damaged.size === 0;
  });
}

/** Configurations that members of the latest one may be in, or come back in: it, and older ones down to what they have applied. */
export function configurationsInForce(world: World): readonly ConfState[] {
  const { configurations, latestConfiguration } = world.monitor.ledger;
  if (latestConfiguration === undefined) return [];
  const { voters, votersOutgoing, learners } = latestConfiguration;
  let lowest = Number.POSITIVE_INFINITY;
  for (const id of [...voters, ...votersOutgoing, ...learners]) {
    const node = world.nodes.get(id);
    if (node !== undefined && node.condition !== "lost") lowest = Math.min(lowest, appliedBy(node));
  }
  const first = configurations.findLastIndex(({ index }) => index <= lowest);
  return configurations.slice(Math.max(0, first)).map(({ confState }) => confState);
}

/** Whether progress can be asked for without `also`. */
export function canProgress(world: World, also: NodeId = 0): boolean {
  const inForce = configurationsInForce(world);
  return inForce.length > 0 && inForce.every((confState) => hasQuorumLeft(world, confState, also));
}

/** Whether a node may be stopped for good: no other node counts on it. */
export function isOutside(world: World, nodeId: NodeId): boolean {
  return configurationsInForce(world).every(
    ({ voters, votersOutgoing, learners }) =>
      !voters.includes(nodeId) && !votersOutgoing.includes(nodeId) && !learners.includes(nodeId),
  );
}

/** Whether the disk of a node may be lost. */
export function mayLose(world: World, nodeId: NodeId): boolean {
  // A change that is under way could make the loss count for more than it does now.
  return world.changesUnderWay === 0 && configurationsInForce(world).length === 1 && canProgress(world, nodeId);
}

function appliedBy({ observed, disk }: SimNode): LogIndex {
  return observed?.appliedIndex ?? disk.platter.snapshot.metadata.index;
}
