/** What a fault is: something the nemesis does to the world, and perhaps takes back later. */
import type { NodeId } from "@raftoral/raft-core";
import type { SimNode } from "../node/sim-node.ts";
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";

export interface FaultContext {
  readonly world: World;
  /** Decided by the seed and the number of the fault: leaving another fault out does not change it. */
  readonly random: Random;
  /** An id that was never used. */
  newNodeId(): NodeId;
}

export interface Injected {
  /** What was done to whom, for people. */
  readonly text: string;
  /** Takes it back; called once its duration is over, or when the cluster is healed. */
  readonly undo?: () => void;
}

export interface Fault {
  readonly kind: string;
  /** Relative to the others. */
  readonly weight: number;
  /** Milliseconds after which it is taken back, at least and at most. */
  readonly durationMs: readonly [number, number];
  /** Does it; undefined when there is no node to do it to. */
  inject(context: FaultContext): Injected | undefined;
}

/** A node that runs, twice as often the leader as chance would have it. */
export function pickRunning({ world, random }: FaultContext): SimNode | undefined {
  const running = [...world.nodes.values()].filter((node) => node.isResponsive);
  const leaders = running.filter((node) => node.cluster?.isLeader === true);
  return (random.chance(0.4) ? random.pick(leaders) : undefined) ?? random.pick(running);
}
