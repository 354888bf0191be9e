/**
 * One node: a disk that lasts, and a process on it that comes and goes. The process runs the real driver and core.
 *
 * A node is `up` (it has a process, perhaps still starting), `down` (it can be started again), `lost` (its disk is gone or
 * refused; it never comes back, for a node without memory must not vote) or `retired` (removed from the group and stopped).
 */
import { type Bootstrap, type ClusterEvent, type NodeId, RaftCluster } from "@raftoral/raft-core";
import { Disk } from "../disk/disk.ts";
import { isFromDisk } from "../disk/disk-error.ts";
import type { KvCommand, KvResult } from "../machine/kv-command.ts";
import { KvMachine } from "../machine/kv-machine.ts";
import type { Random } from "../world/random.ts";
import { Violation } from "../world/violation.ts";
import type { World } from "../world/world.ts";
import { Life } from "./life.ts";
import { NodeClock } from "./node-clock.ts";
import type { ObservedNode } from "./observed-node.ts";

export type Condition = "up" | "down" | "lost" | "retired";

/** One node of a {@link World}. */
export class SimNode {
  readonly id: NodeId;
  readonly disk: Disk;
  condition: Condition = "down";
  life: Life | undefined;
  clock: NodeClock | undefined;
  machine: KvMachine | undefined;
  /** Present once the driver has started. */
  cluster: RaftCluster<KvCommand, KvResult> | undefined;
  /** Present from the moment the driver listens. */
  observed: ObservedNode | undefined;
  /** Its owner stopped it when it told of its removal. It is not started again, whatever the others need. */
  isStoppedForGood = false;
  /** What its clock runs at, also after a restart. */
  clockRate = 1;
  readonly #world: World;
  readonly #random: Random;
  readonly #bootstrap: Bootstrap;
  #lives = 0;
  /** The process that was leader when it applied its own removal. */
  #removedInOffice: Life | undefined;

  constructor(world: World, id: NodeId, bootstrap: Bootstrap) {
    this.#world = world;
    this.id = id;
    this.#random = world.random.fork(`node ${id}`);
    this.#bootstrap = bootstrap;
    this.disk = new Disk(id, world, this.#random.fork("disk"));
  }

  get isRunning(): boolean {
    return this.cluster !== undefined && this.life?.isAlive === true;
  }

  /** Runs, and is not paused. */
  get isResponsive(): boolean {
    return this.isRunning && this.life?.isPaused === false;
  }

  /** Starts a process. Does nothing unless the node is down. */
  start(): void {
    if (this.condition !== "down" || this.isStoppedForGood) return;
    const { settings } = this.#world;
    const life = new Life(++this.#lives);
    const storage = this.#mount(life);
    if (storage === undefined) return;
    this.condition = "up";
    this.life = life;
    const clock = new NodeClock(this.#world, this.id, life, this.clockRate);
    this.clock = clock;
    const pause = settings.applyMs > 0 ? () => this.#pause(life) : undefined;
    const machine = new KvMachine(this.#world.monitor.listenTo(this.id), pause);
    this.machine = machine;
    this.#world.trace.tell("start", this.id, life.number, () => `process ${life.number}`);
    const transport = this.#world.network.attach(this.id, life, (receiver) => {
      this.observed = this.#world.monitor.observe(this, receiver);
    });
    RaftCluster.start<KvCommand, KvResult>({
      nodeId: this.id,
      transport,
      storage,
      executor: machine,
      bootstrap: this.#bootstrap,
      timing: settings.timing,
      limits: settings.limits,
      preVote: settings.preVote,
      checkQuorum: settings.checkQuorum,
      readOnly: settings.readOnly,
      coalesceHeartbeatsFrom: settings.coalescesHeartbeats ? 1 : Number.POSITIVE_INFINITY,
      clock,
      rng: this.#random.fork(`life ${life.number}`),
    }).then(
      (cluster) => this.#started(life, cluster),
      (error: unknown) => life.deliver("start-failed", () => this.#stopped(error)),
    );
  }

  /** The process dies at once; what it had not flushed is lost in part. */
  crash(): void {
    if (this.condition !== "up") return;
    this.#forgetCore();
    const lost = this.disk.crash();
    this.#world.trace.tell("crash", this.id, lost, () => `${lost} unflushed batches lost`);
    this.#end("down");
  }

  pause(): void {
    this.life?.pause();
  }

  resume(): void {
    const { life } = this;
    if (life === undefined || !life.isPaused) return;
    for (const { kind, run } of life.resume()) this.#world.after(0, kind, this.id, life, run);
  }

  /** The node is gone for good. */
  lose(): void {
    if (this.condition === "up") this.#end("lost");
    else this.condition = "lost";
  }

  /** The operator stops a node that was removed from the group. */
  retire(): void {
    if (this.condition === "up") this.#end("retired");
    else if (this.condition === "down") this.condition = "retired";
  }

  #mount(life: Life) {
    try {
      return this.disk.mount(life, this.#world.settings.seesEarly);
    } catch (error) {
      if (!isFromDisk(error)) throw error;
      this.#world.trace.tell("refused", this.id, 0, () => String(error));
      this.condition = "lost";
      return undefined;
    }
  }

  #started(life: Life, cluster: RaftCluster<KvCommand, KvResult>): void {
    life.deliver("started", () => {
      this.cluster = cluster;
      if (cluster.failure !== undefined) this.#stopped(cluster.failure);
      else cluster.on((event) => this.#hear(life, event));
    });
  }

  #hear(life: Life, event: ClusterEvent): void {
    if (!life.isAlive) return;
    if (event.type === "failed") this.#stopped(event.error);
    else if (event.type === "removed") this.#hearRemoval(life);
    else if (event.type === "members") {
      const { voters, votersOutgoing, learners } = event.confState;
      const isMember = [...voters, ...votersOutgoing, ...learners].includes(this.id);
      if (!isMember && this.cluster?.isLeader === true) this.#removedInOffice = life;
    } else if (event.type === "leader") {
      const { leader, term, role } = event;
      this.#world.trace.tell("leader", this.id, term, () => `n${leader} in term ${term}, is ${role}`);
    }
  }

  /**
   * A leader that was removed is stopped when its driver says that it was. A follower is left alone for a while: its removal may be one flush
   * ahead of what the others have on their disks.
   */
  #hearRemoval(life: Life): void {
    if (this.#removedInOffice !== life) return;
    this.#world.after(0, "removed", this.id, life, () => {
      this.#world.trace.tell("stopped", this.id, 0, () => "its owner stops it for good");
      this.#world.faults.count("removed leader stopped");
      this.isStoppedForGood = true;
      this.retire();
    });
  }

  /** The driver stopped the node by itself: right after a failed write, a bug otherwise. */
  #stopped(error: unknown): void {
    this.#world.trace.tell("stopped", this.id, 0, () => String(error));
    if (!isFromDisk(error)) {
      this.#world.fail(new Violation("node-stopped", `node ${this.id}: ${String(error)}`, { cause: error }));
    }
    this.#end("down");
  }

  #end(condition: Condition): void {
    this.condition = condition;
    this.cluster = undefined;
    this.#forgetCore();
    this.machine = undefined;
    this.life?.end();
    this.life = undefined;
  }

  #forgetCore(): void {
    if (this.observed !== undefined) this.#world.monitor.ended(this.observed);
    this.observed = undefined;
  }

  #pause(life: Life): Promise<void> {
    const ms = this.#random.between(0, this.#world.settings.applyMs);
    return new Promise((resolve) => {
      this.#world.after(ms, "apply", this.id, life, resolve);
    });
  }
}
