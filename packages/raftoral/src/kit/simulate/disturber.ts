/**
 * Carries a plan of disturbances out on a test cluster, and undoes what would keep the run from going on.
 *
 * D1. One thing is away at a time: a disturbance that would take another one away meanwhile is left out, and the story says so.
 * D2. What was taken down or cut off comes back after {@link DOWN_MS}; a node that is lost, when the run has ended.
 */
import type { LinkFaults } from "@raftoral/transport-memory";
import type { TestCluster } from "../cluster/test-cluster.ts";
import type { Happening } from "../faults/moment.ts";
import { type Disturbance, momentOf, parsePlan } from "./disturbance.ts";

/** How long a node stays away, in virtual milliseconds. */
const DOWN_MS = 4_000;
/** How long disks stall while a registration is under way: longer than a dead node goes unnoticed. */
const STALL_MS = 3_000;
/** How long an election may take, or a step of a registration, in virtual milliseconds, and how often it is looked at in each of them. */
const WATCH_MS = 2_000;
const TURNS_IN_MS = 20;
/** Nodes of which one may be lost for good. */
const ENOUGH_NODES = 3;
/** The share of messages between nodes that is lost, and the share that comes twice, while the network is lossy. */
const LOSSY_RATE = 0.15;
/** How late messages and signals are at most, after a `delay`. */
const LATE_MS = 300;

/** A plan that is being carried out. */
export interface Disturbing {
  /** Whether a disturbance has cancelled the run. */
  readonly hasCancelled: boolean;
  /** Disturbances whose moment has come. */
  readonly come: number;
  /** Resolves once everything is back that was away. */
  finish(): Promise<void>;
}

/** Plans disturbances of a run, as a {@link SimulationFailure} tells them: `kill-owner@commit:2:after; move@call:3:begins`. */
export function disturb(cluster: TestCluster, runId: string, plan: string): Disturbing {
  return new Disturber(cluster, runId, parsePlan(plan));
}

/** Disturbs one {@link TestCluster} while a run is under way (D1, D2). */
export class Disturber implements Disturbing {
  readonly #cluster: TestCluster;
  readonly #runId: string;
  readonly #pending = new Set<Promise<void>>();
  readonly #runEnded = Promise.withResolvers<void>();
  #network: Partial<LinkFaults> = {};
  #isAway = false;
  #hasCancelled = false;
  #come = 0;

  constructor(cluster: TestCluster, runId: string, plan: readonly Disturbance[]) {
    this.#cluster = cluster;
    this.#runId = runId;
    for (const disturbance of plan) {
      cluster.at(momentOf(disturbance, runId), (happening) => {
        this.#come += 1;
        this.#begin(disturbance, this.#ownerAt(happening));
      });
    }
  }

  get hasCancelled(): boolean {
    return this.#hasCancelled;
  }

  get come(): number {
    return this.#come;
  }

  async finish(): Promise<void> {
    this.#runEnded.resolve();
    while (this.#pending.size > 0) await this.#cluster.time.drive(Promise.all(this.#pending));
  }

  /**
   * Commands come from the node that was asked; everything else from the owner, or from a node that still takes itself for it. At a registration the node
   * that registers is disturbed.
   */
  #ownerAt({ at, nodeId }: Happening): number {
    if (at !== "command") return nodeId;
    return this.#cluster.ownerOf(this.#runId)?.nodeId ?? nodeId;
  }

  #begin({ kind }: Disturbance, owner: number): void {
    const cluster = this.#cluster;
    const leader = cluster.leader?.nodeId ?? owner;
    switch (kind) {
      case "kill-owner":
        this.#kill([owner]);
        return;
      case "kill-leader":
        this.#kill([leader]);
        return;
      case "power-cut":
        this.#kill(cluster.nodes.filter(({ status }) => status === "up").map(({ nodeId }) => nodeId));
        return;
      case "lose-owner":
        if (cluster.nodes.length < ENOUGH_NODES) this.#kill([owner]);
        else this.#takeAway([owner], () => this.#lose(owner), this.#runEnded.promise);
        return;
      case "stop-owner":
        this.#takeAway([owner], async () => {
          await cluster.stopNode(owner);
          return () => cluster.startNode(owner);
        });
        return;
      case "drain-owner":
        this.#takeAway([owner], async () => {
          await cluster.drainNode(owner);
          return () => cluster.resumeNode(owner);
        });
        return;
      case "cut-off-owner":
        this.#cutOff(owner);
        return;
      case "cut-off-leader":
        this.#cutOff(leader);
        return;
      case "move":
        this.#add(cluster.moveRun(this.#runId));
        return;
      case "transfer": {
        const to = cluster.nodes.find((node) => node.status === "up" && node.nodeId !== leader);
        if (to !== undefined) this.#add(cluster.transferLeadership(to.nodeId));
        return;
      }
      case "cancel":
        this.#hasCancelled = true;
        this.#add(cluster.workflows.cancel(this.#runId, { reason: "simulated" }));
        return;
      case "delay":
        this.#disturbNetwork({ minDelayMs: 0, maxDelayMs: LATE_MS / 10, reorderRate: 0.2, reorderMs: LATE_MS });
        cluster.delaySignals(0, LATE_MS);
        return;
      case "lose":
        cluster.loseNext(owner);
        return;
      case "lossy":
        this.#lossy();
        return;
      case "evict":
        // The body may never rest again.
        void cluster.evict(this.#runId);
        return;
    }
  }

  #lossy(): void {
    this.#cluster.tell("the network is lossy");
    this.#disturbNetwork({ dropRate: LOSSY_RATE, duplicateRate: LOSSY_RATE });
    const heal = () => this.#disturbNetwork({ dropRate: 0, duplicateRate: 0 });
    this.#add(this.#cluster.after(DOWN_MS).then(heal));
  }

  #disturbNetwork(faults: Partial<LinkFaults>): void {
    this.#network = { ...this.#network, ...faults };
    this.#cluster.setNetwork(this.#network);
  }

  #kill(nodeIds: readonly number[]): void {
    this.#takeAway(nodeIds, async () => {
      for (const nodeId of nodeIds) this.#cluster.kill(nodeId);
      return () => Promise.all(nodeIds.map((nodeId) => this.#cluster.startNode(nodeId)));
    });
  }

  /** The process is replaced, and the new one dies while its registration is with the leader, which cannot commit it before the loss is noticed. */
  async #lose(nodeId: number): Promise<() => Promise<void>> {
    const cluster = this.#cluster;
    cluster.kill(nodeId);
    await this.#until(() => cluster.leader !== undefined);
    const sent = cluster.at({ registration: nodeId, when: "before" }, async () => {
      const before = this.#committed();
      // What the process proposes first opens its session; the registration follows when that is committed.
      await this.#until(() => this.#committed() > before);
      for (const other of cluster.nodes) if (other.nodeId !== nodeId) cluster.stallDisk(other.nodeId, STALL_MS);
      await this.#until(() => (cluster.node(nodeId).inside?.group.status().lastIndex ?? 0) > this.#committed());
      cluster.kill(nodeId);
    });
    await cluster.startNode(nodeId);
    await sent.happened;
    return () => cluster.startNode(nodeId);
  }

  /** What the leader has committed; 0 while nothing leads. */
  #committed(): number {
    return this.#cluster.leader?.inside?.group.status().commit ?? 0;
  }

  /** Looks in every turn, for {@link WATCH_MS} at most. */
  async #until(holds: () => boolean): Promise<void> {
    for (let turn = 1; turn <= WATCH_MS * TURNS_IN_MS && !holds(); turn++) {
      await this.#cluster.after(turn % TURNS_IN_MS === 0 ? 1 : 0);
    }
  }

  #cutOff(nodeId: number): void {
    this.#takeAway([nodeId], async () => {
      this.#cluster.partition(nodeId);
      return async () => this.#cluster.heal();
    });
  }

  /** `take` begins in this turn, and gives the way back, which is gone after {@link DOWN_MS} or with `until`. */
  #takeAway(nodeIds: readonly number[], take: () => Promise<() => Promise<unknown>>, until?: Promise<void>): void {
    if (this.#isAway || nodeIds.some((nodeId) => this.#cluster.node(nodeId).status !== "up")) {
      this.#cluster.tell(`node ${nodeIds.join(", ")} stays: another is away`);
      return;
    }
    this.#isAway = true;
    const away = async (): Promise<void> => {
      try {
        const bringBack = await take();
        await (until ?? this.#cluster.after(DOWN_MS));
        await bringBack();
      } finally {
        this.#isAway = false;
      }
    };
    this.#add(away());
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
