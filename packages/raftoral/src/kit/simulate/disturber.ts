/**
 * Carries a plan of disturbances out on a test cluster, and undoes what would keep the run from going on.
 *
 * D1. A majority of the nodes stays up and connected: a disturbance that would take it away is left out, and the story says so.
 * D2. What was taken down or cut off comes back after {@link DOWN_MS}.
 */
import type { TestCluster } from "../cluster/test-cluster.ts";
import { type Disturbance, momentOf } from "./disturbance.ts";

/** How long a node stays away, in virtual milliseconds. */
const DOWN_MS = 4_000;
/** How late messages and signals are at most, after a `delay`. */
const LATE_MS = 300;

/** Disturbs one {@link TestCluster} while a run is under way (D1, D2). */
export class Disturber {
  readonly #cluster: TestCluster;
  readonly #runId: string;
  readonly #pending = new Set<Promise<void>>();
  #away: number | undefined;
  #hasCancelled = false;

  constructor(cluster: TestCluster, runId: string, plan: readonly Disturbance[]) {
    this.#cluster = cluster;
    this.#runId = runId;
    for (const disturbance of plan) {
      cluster.at(momentOf(disturbance, runId), ({ nodeId }) => {
        this.#begin(disturbance, nodeId);
      });
    }
  }

  /** Whether a disturbance has cancelled the run. */
  get hasCancelled(): boolean {
    return this.#hasCancelled;
  }

  /** Resolves once everything is back that was away. */
  async finish(): Promise<void> {
    while (this.#pending.size > 0) await this.#cluster.time.drive(Promise.all(this.#pending));
  }

  #begin({ kind }: Disturbance, owner: number): void {
    const cluster = this.#cluster;
    switch (kind) {
      case "kill-owner":
        this.#takeAway(owner, () => this.#kill(owner));
        return;
      case "kill-leader": {
        const leader = cluster.leader?.nodeId;
        if (leader !== undefined) this.#takeAway(leader, () => this.#kill(leader));
        return;
      }
      case "stop-owner":
        this.#takeAway(owner, async () => {
          await cluster.stopNode(owner);
          await this.#later();
          await cluster.startNode(owner);
        });
        return;
      case "cut-off-owner":
        this.#takeAway(owner, async () => {
          cluster.partition(owner);
          await this.#later();
          cluster.heal();
        });
        return;
      case "move":
        this.#add(cluster.moveRun(this.#runId));
        return;
      case "transfer": {
        const to = cluster.nodes.find((node) => node.status === "up" && node !== cluster.leader);
        if (to !== undefined) this.#add(cluster.transferLeadership(to.nodeId));
        return;
      }
      case "cancel":
        this.#hasCancelled = true;
        this.#add(cluster.workflows.cancel(this.#runId, { reason: "simulated" }));
        return;
      case "delay":
        cluster.setNetwork({ minDelayMs: 0, maxDelayMs: LATE_MS / 10, reorderRate: 0.2, reorderMs: LATE_MS });
        cluster.delaySignals(0, LATE_MS);
        return;
    }
  }

  async #kill(nodeId: number): Promise<void> {
    this.#cluster.kill(nodeId);
    await this.#later();
    await this.#cluster.startNode(nodeId);
  }

  #takeAway(nodeId: number, run: () => Promise<void>): void {
    if (this.#away !== undefined || this.#cluster.nodes.length < 3) {
      this.#cluster.tell(`node ${nodeId} stays: a majority must`);
      return;
    }
    this.#away = nodeId;
    this.#add(
      run().finally(() => {
        this.#away = undefined;
      }),
    );
  }

  #later(): Promise<void> {
    return this.#cluster.after(DOWN_MS);
  }

  /** A disturbance that fails has failed to disturb: a run that has ended cannot be cancelled, say. */
  #add(disturbing: Promise<unknown>): void {
    const pending: Promise<void> = disturbing
      .then(
        () => {},
        (error: unknown) => this.#cluster.tell(`a disturbance came to nothing: ${String(error)}`),
      )
      .finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
  }
}
