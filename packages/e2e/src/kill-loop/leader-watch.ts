/** Counts the leaders of the registers' group, by asking all nodes again and again. */
import { setTimeout as pause } from "node:timers/promises";
import type { TestCluster } from "../cluster/test-cluster.ts";
import { askRegisters } from "../registers/ask-registers.ts";

const EVERY_MS = 200;

/** Watches until `stop`, which rejects when two nodes led in one term. */
export class LeaderWatch {
  readonly #cluster: TestCluster;
  readonly #leaders = new Map<number, number>();
  readonly #watching: Promise<void>;
  #isOver = false;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    this.#watching = this.#watch();
    // Told by `stop`.
    this.#watching.catch(() => {});
  }

  /** Of the newest term of which one was seen; 0 if none was. */
  get leader(): number {
    return this.#leaders.get(Math.max(...this.#leaders.keys(), 0)) ?? 0;
  }

  /** Leaders after the first: a term that ends too soon to be seen is not counted. */
  get changes(): number {
    return Math.max(0, this.#leaders.size - 1);
  }

  /** Rejects when two nodes led in one term. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      const answers = await Promise.allSettled(this.#cluster.running.map((node) => askRegisters.status(node)));
      for (const answer of answers) {
        if (answer.status === "rejected" || answer.value.leader === 0) continue;
        const { leader, term } = answer.value;
        const known = this.#leaders.get(term) ?? leader;
        if (known !== leader) throw new Error(`nodes ${known} and ${leader} both lead in term ${term}`);
        this.#leaders.set(term, leader);
      }
      await pause(EVERY_MS);
    }
  }
}
