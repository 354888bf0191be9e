/** What can be done to the network for a while. `heal` takes it back. */
import type { Rng } from "@raftoral/raft-core";
import type { FaultNetwork } from "../network/fault-network.ts";
import { between, bridge, oneWay, type Pair, pairsOf, ring, split } from "../network/partitions.ts";

export interface NetworkFault {
  readonly kind: string;
  /** Does it, and says to whom. */
  readonly inject: (network: FaultNetwork, leader: number, rng: Rng) => string;
}

const anyOf = (network: FaultNetwork, rng: Rng): number => network.nodeIds[rng.below(network.nodeIds.length)] ?? 1;
const others = (network: FaultNetwork, nodeId: number): readonly number[] =>
  network.nodeIds.filter((other) => other !== nodeId);

/** The leader as often as anybody. */
const target = (network: FaultNetwork, leader: number, rng: Rng): number =>
  rng.below(2) === 0 ? leader : anyOf(network, rng);

function cut(kind: string, choose: (network: FaultNetwork, node: number, rng: Rng) => readonly Pair[]): NetworkFault {
  return {
    kind: `partition: ${kind}`,
    inject: (network, leader, rng) => {
      const node = target(network, leader, rng);
      network.cut(choose(network, node, rng));
      return `around ${node}`;
    },
  };
}

function oneShot(kind: string, act: (network: FaultNetwork, pairs: readonly Pair[]) => void): NetworkFault {
  return {
    kind,
    inject: (network, leader, rng) => {
      const node = target(network, leader, rng);
      act(network, between([node], others(network, node)));
      return `around ${node}`;
    },
  };
}

export const NETWORK_FAULTS: readonly NetworkFault[] = [
  cut("one alone", (network, node) => split(network.nodeIds, [node])),
  cut("two alone", (network, node, rng) => split(network.nodeIds, [node, anyOf(network, rng)])),
  cut("not heard", (network, node) => oneWay([node], others(network, node))),
  cut("hears none", (network, node) => oneWay(others(network, node), [node])),
  cut("bridge", (network, node) => bridge(network.nodeIds, node)),
  cut("ring", (network) => ring(network.nodeIds)),
  cut("everybody alone", (network) => pairsOf(network.nodeIds)),
  oneShot("accepts, never answers", (network, pairs) => {
    network.receive(pairs, "muted");
    network.mute(pairs);
  }),
  oneShot("refuses connections", (network, pairs) => {
    network.receive(pairs, "reset");
    network.reset(pairs);
  }),
  oneShot("half-open, caller kept", (network, pairs) => network.drop(pairs, "far")),
  oneShot("half-open, caller gone", (network, pairs) => network.drop(pairs, "near")),
  oneShot("reset", (network, pairs) => network.reset(pairs)),
  {
    kind: "bad weather",
    inject: (network, _leader, rng) => {
      const weather = {
        delayMs: rng.below(60),
        jitterMs: rng.below(80),
        lossRate: rng.below(4) / 100,
        bytesPerSecond: rng.below(3) === 0 ? 50_000 + rng.below(200_000) : 0,
      };
      network.setWeather(pairsOf(network.nodeIds), weather);
      return JSON.stringify(weather);
    },
  },
];
