/** Brings faults on a {@link ChaosCluster}, one after the other, as a seed decides. */
import type { NodeId, Rng } from "@raftoral/raft-core";
import type { ChaosCluster } from "./chaos-cluster.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Injects faults for as long as {@link Nemesis.rage} lasts. */
export class Nemesis {
  /** What was done, one line each. A failure shows it. */
  readonly story: string[] = [];
  readonly #cluster: ChaosCluster;
  readonly #rng: Rng;
  readonly #begunMs = performance.now();

  constructor(cluster: ChaosCluster, rng: Rng) {
    this.#cluster = cluster;
    this.#rng = rng;
  }

  async rage(durationMs: number): Promise<void> {
    const endMs = performance.now() + durationMs;
    while (performance.now() < endMs) {
      await this.#strike();
      await pause(20 + this.#rng.below(180));
    }
  }

  async #strike(): Promise<void> {
    const { network } = this.#cluster.transport;
    const nodeId = this.#pick(this.#cluster.nodeIds);
    switch (this.#rng.below(10)) {
      case 0: {
        const rate = (): number => this.#rng.below(20) / 100;
        const faults = {
          dropRate: rate(),
          duplicateRate: rate(),
          reorderRate: rate(),
          maxDelayMs: this.#rng.below(15),
        };
        network.setFaults(faults);
        return this.#tell("messages suffer", faults);
      }
      case 1:
        network.setFaults({});
        return this.#tell("messages are well");
      case 2:
        network.isolate(nodeId);
        return this.#tell("isolated", nodeId);
      case 3: {
        const leader = this.#leader();
        if (leader !== 0) network.isolate(leader);
        return this.#tell("isolated the leader", leader);
      }
      case 4:
        network.cut([nodeId], this.#cluster.nodeIds);
        return this.#tell("cut off what it sends", nodeId);
      case 5:
      case 6:
        network.heal();
        return this.#tell("ways are free");
      case 7:
        await this.#cluster.stopNode(this.#rng.below(2) === 0 ? nodeId : this.#leader());
        this.#tell(
          "stopped; now run",
          this.#cluster.running().map((node) => node.nodeId),
        );
        return;
      case 8:
        await Promise.race([
          this.#cluster
            .node(nodeId)
            ?.runtime.drain()
            .catch(() => {}),
          pause(300),
        ]);
        await this.#cluster.stopNode(nodeId);
        this.#tell("drained and stopped", nodeId);
        return;
      default:
        for (const down of this.#cluster.nodeIds) {
          if (this.#cluster.node(down) === undefined) await this.#cluster.startNode(down);
        }
        return this.#tell("all run");
    }
  }

  #leader(): NodeId {
    return this.#cluster.running().find(({ cluster }) => cluster.isLeader)?.nodeId ?? 0;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#rng.below(from.length)] as T;
  }

  #tell(what: string, ...details: unknown[]): void {
    const atMs = Math.round(performance.now() - this.#begunMs);
    this.story.push(`${atMs} ms: ${what}${details.map((detail) => ` ${JSON.stringify(detail)}`).join("")}`);
  }
}
