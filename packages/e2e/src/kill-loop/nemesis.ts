/**
 * Breaks a cluster in random ways until its time is over: three hands at once, one that kills, one at the network, one that
 * stops processes and sets clocks wrong.
 *
 * Role: does harm and tells what it did. Whether the cluster stood it is for others to say.
 *
 * Invariants:
 * N1. A seed decides what each hand does next. When it happens depends on how fast processes start: time is real.
 * N2. What it breaks it mends again within {@link LONGEST_FAULT_MS}; when `rage` resolves, nodes may be down, stopped or cut off.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type Rng, seededRng } from "@raftoral/raft-core";
import type { TestCluster } from "../cluster/test-cluster.ts";
import { UnansweredError } from "../harness/index.ts";
import type { Deed } from "./figures.ts";
import type { NetworkFault } from "./network-faults.ts";
import { NETWORK_FAULTS } from "./network-faults.ts";

const LONGEST_FAULT_MS = 3_000;
const HOUR_MS = 3_600_000;
const SEEDS = 2 ** 32;

/** The nemesis of one loop (N1, N2). */
export class Nemesis {
  /** How often each kind of fault was injected. */
  readonly counts = new Map<string, number>();
  /** What was done, in order. */
  readonly story: Deed[] = [];
  readonly #cluster: TestCluster;
  readonly #leader: () => number;
  readonly #hands: readonly [Rng, Rng, Rng];

  /** `leader` tells who is believed to lead now; 0 for no node. */
  constructor(cluster: TestCluster, leader: () => number, rng: Rng) {
    this.#cluster = cluster;
    this.#leader = leader;
    this.#hands = [seededRng(rng.below(SEEDS)), seededRng(rng.below(SEEDS)), seededRng(rng.below(SEEDS))];
  }

  /** Rejects with what a node's process failed with that was not killed; no hand does anything any more then. */
  async rage(durationMs: number): Promise<void> {
    let endMs = performance.now() + durationMs;
    const until = async (rng: Rng, act: (rng: Rng) => Promise<void>): Promise<void> => {
      while (performance.now() < endMs) {
        await pause(100 + rng.below(1_000));
        await act(rng);
      }
    };
    const [killing, disturbing, upsetting] = this.#hands;
    const hands = [
      until(killing, (rng) => this.#kill(rng)),
      until(disturbing, (rng) => this.#disturb(rng)),
      until(upsetting, (rng) => this.#upset(rng)),
    ];
    try {
      await Promise.all(hands);
    } finally {
      endMs = 0;
      await Promise.allSettled(hands);
    }
  }

  /** Kills one node or several, and starts them again after a while; one of them perhaps only to die while it starts. */
  async #kill(rng: Rng): Promise<void> {
    const victims = this.#victims(rng);
    this.#tell("kill -9", victims.length, victims.join(", "));
    await this.#cluster.kill(...victims);
    await pause(rng.below(1_500));
    const [first = 0] = victims;
    if (rng.below(5) === 0) {
      this.#tell("kill -9 during start", 1, String(first));
      await this.#cluster.startDoomed(first, rng.below(600));
    }
    await Promise.all(victims.map((nodeId) => this.#cluster.startNode(nodeId)));
  }

  #victims(rng: Rng): readonly number[] {
    const { nodeIds } = this.#cluster;
    const anyone = (): number => nodeIds[rng.below(nodeIds.length)] ?? 1;
    const kind = rng.below(20);
    if (kind === 0) return nodeIds;
    if (kind < 3) return [...new Set([anyone(), anyone()])];
    return [kind < 9 ? this.#leader() || anyone() : anyone()];
  }

  async #disturb(rng: Rng): Promise<void> {
    const { network } = this.#cluster;
    const fault = NETWORK_FAULTS[rng.below(NETWORK_FAULTS.length)] as NetworkFault;
    const detail = fault.inject(network, this.#leader() || 1, rng);
    this.#tell(fault.kind, 1, detail);
    await pause(300 + rng.below(LONGEST_FAULT_MS - 300));
    network.heal();
  }

  async #upset(rng: Rng): Promise<void> {
    const { running } = this.#cluster;
    const node = running[rng.below(Math.max(1, running.length))];
    if (node === undefined) return;
    if (rng.below(2) === 0) {
      this.#tell("stopped for a while", 1, String(node.nodeId));
      node.pause();
      await pause(rng.below(LONGEST_FAULT_MS));
      node.resume();
      return;
    }
    const shift = { jumpMs: rng.below(2 * HOUR_MS) - HOUR_MS, rate: (90 + rng.below(21)) / 100 };
    this.#tell("clock set wrong", 1, `${node.nodeId}: ${shift.jumpMs} ms, rate ${shift.rate}`);
    await this.#cluster.shiftClock(node.nodeId, shift).catch((error: unknown) => {
      // Its process was killed meanwhile, or does not keep up: no clock to set.
      if (!(error instanceof UnansweredError)) throw error;
    });
  }

  #tell(kind: string, count: number, detail: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + count);
    this.story.push({ atMs: performance.now(), kind, detail });
  }
}
