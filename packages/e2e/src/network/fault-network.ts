/**
 * The network between nodes that are processes of this machine: each ordered pair goes through a port of its own, where the
 * bytes of each direction can be held up, slowed down, swallowed or cut off.
 *
 * Role: carries out faults; which and when is its caller's business. Nodes find each other through `routes` and know nothing
 * else of it. What TCP does with a fault is modelled, not done: see the package's README.
 *
 * Invariants:
 * W1. `heal` takes back every fault of links and ports. Connections that were muted or dropped stay dead, as they would.
 * W2. Whatever is random comes from `rng`, and each link has a stream of its own, so that one link's traffic does not change
 *     another's luck.
 */
import { type Rng, seededRng } from "@raftoral/raft-core";
import type { Routes } from "../harness/index.ts";
import { CLEAR, Link, type Weather } from "./link.ts";
import { PairProxy, type Reception } from "./pair-proxy.ts";
import { type Pair, pairsOf } from "./partitions.ts";

/** Where a node listens: all addresses that others may call. */
export interface Place {
  readonly nodeId: number;
  readonly addresses: readonly string[];
}

const SEEDS = 2 ** 32;

/** The network of one cluster (W1, W2). `close` ends its ports and connections. */
export class FaultNetwork {
  readonly nodeIds: readonly number[];
  readonly #links = new Map<string, Link>();
  readonly #proxies = new Map<string, ReadonlyMap<string, PairProxy>>();

  static async open(places: readonly Place[], rng: Rng): Promise<FaultNetwork> {
    const network = new FaultNetwork(places, rng);
    for (const [from, to] of pairsOf(network.nodeIds)) {
      const ways = { there: network.#link(from, to), back: network.#link(to, from) };
      const { addresses } = places.find(({ nodeId }) => nodeId === to) ?? { addresses: [] };
      const proxies = new Map<string, PairProxy>();
      for (const address of addresses) proxies.set(address, await PairProxy.listen(address, ways));
      network.#proxies.set(key(from, to), proxies);
    }
    return network;
  }

  private constructor(places: readonly Place[], rng: Rng) {
    this.nodeIds = places.map(({ nodeId }) => nodeId);
    for (const [from, to] of pairsOf(this.nodeIds)) {
      this.#links.set(key(from, to), new Link(from, to, seededRng(rng.below(SEEDS))));
    }
  }

  /** Where a node must connect instead of the addresses of the others. */
  routes(nodeId: number): Routes {
    const others = this.nodeIds.filter((other) => other !== nodeId);
    return Object.fromEntries(
      others.flatMap((other) =>
        [...this.#pair(nodeId, other)].map(([address, proxy]) => [address, proxy.address] as const),
      ),
    );
  }

  /** Nothing that `from` sends arrives at `to`, for each of these pairs, until it is healed. */
  cut(pairs: readonly Pair[]): void {
    for (const [from, to] of pairs) this.#link(from, to).cut();
  }

  setWeather(pairs: readonly Pair[], weather: Partial<Weather>): void {
    for (const [from, to] of pairs) this.#link(from, to).weather = { ...CLEAR, ...weather };
  }

  /** What becomes of what `from` connects to at `to` from now on. Connections there are stay as they are. */
  receive(pairs: readonly Pair[], reception: Reception): void {
    this.#each(pairs, (proxy) => {
      proxy.reception = reception;
    });
  }

  /** Swallows all that is said on the connections which `from` made to `to`; both ends keep them. */
  mute(pairs: readonly Pair[]): void {
    this.#each(pairs, (proxy) => proxy.connections.forEach((connection) => void connection.mute()));
  }

  /** Takes one end of the connections that `from` made to `to` away; the other is not told. */
  drop(pairs: readonly Pair[], end: "near" | "far"): void {
    this.#each(pairs, (proxy) => proxy.connections.forEach((connection) => void connection.drop(end)));
  }

  /** Breaks the connections that `from` made to `to`. */
  reset(pairs: readonly Pair[]): void {
    this.#each(pairs, (proxy) => proxy.connections.forEach((connection) => void connection.reset()));
  }

  heal(): void {
    for (const proxies of this.#proxies.values()) for (const proxy of proxies.values()) proxy.reception = "passed on";
    for (const link of this.#links.values()) {
      link.weather = CLEAR;
      link.mend();
    }
  }

  async close(): Promise<void> {
    const proxies = [...this.#proxies.values()].flatMap((each) => [...each.values()]);
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }

  #each(pairs: readonly Pair[], act: (proxy: PairProxy) => void): void {
    for (const [from, to] of pairs) for (const proxy of this.#pair(from, to).values()) act(proxy);
  }

  #pair(from: number, to: number): ReadonlyMap<string, PairProxy> {
    return this.#proxies.get(key(from, to)) ?? missing(from, to);
  }

  #link(from: number, to: number): Link {
    return this.#links.get(key(from, to)) ?? missing(from, to);
  }
}

function key(from: number, to: number): string {
  return `${from}>${to}`;
}

function missing(from: number, to: number): never {
  throw new Error(`nothing leads from node ${from} to node ${to}`);
}
