/**
 * One node's disk: what is on the platter, what waits to be flushed, and how it can fail.
 *
 * Role: outlives the processes that use it. A process reaches it through {@link MountedStorage}.
 *
 * Invariants:
 * K1. A write is acknowledged only when it and everything before it is on the platter.
 * K2. A crash keeps a prefix of what waited, in whole batches: the rest is lost, and a batch torn in the middle is dropped, for
 *     it was never acknowledged.
 * K3. After a failed flush nothing is accepted until the next mount. What was dirty is gone, but for a prefix.
 * K4. Damage to what was acknowledged refuses the mount; nothing is cut off to make it fit.
 */
import type { LogIndex, NodeId } from "@raftoral/raft-core";
import type { WriteBatch } from "@raftoral/raft-core/storage";
import type { Life } from "../node/life.ts";
import type { Random } from "../world/random.ts";
import { Violation } from "../world/violation.ts";
import type { World } from "../world/world.ts";
import { DiskError } from "./disk-error.ts";
import { LogImage } from "./log-image.ts";
import { MountedStorage } from "./mounted-storage.ts";

/** A batch on its way to the platter. */
export interface DirtyWrite {
  readonly batch: WriteBatch;
  readonly chunks: readonly Uint8Array[];
  readonly life: Life;
  readonly resolve: () => void;
  readonly reject: (error: DiskError) => void;
}

const QUICK_MS: readonly [number, number] = [0.2, 2];
/** What a flush takes on a disk that is slow all the time: longer than a round trip. */
const SLOW_MS: readonly [number, number] = [3, 60];

/** The disk of one {@link SimNode} (K1 to K4). */
export class Disk {
  readonly platter = new LogImage();
  readonly #nodeId: NodeId;
  readonly #world: World;
  readonly #random: Random;
  #dirty: DirtyWrite[] = [];
  /** Of `#dirty`, how many the flush under way covers. */
  #flushing = 0;
  /** Counts mounts: a flush that began before a crash must not end after it. */
  #epoch = 0;
  #mounted: MountedStorage | undefined;
  /** How long a flush takes while nothing is wrong, in milliseconds: at least and at most. */
  readonly usualFlushMs: readonly [number, number];
  /** How long a flush takes now. */
  flushMs: readonly [number, number];
  /** What the next flush does instead of succeeding. */
  failNext: "fsync" | "full" | undefined = undefined;

  constructor(nodeId: NodeId, world: World, random: Random) {
    this.#nodeId = nodeId;
    this.#world = world;
    this.#random = random;
    this.usualFlushMs = random.chance(world.settings.slowDisks) ? SLOW_MS : QUICK_MS;
    this.flushMs = this.usualFlushMs;
  }

  /** Opens the disk for a process. Throws {@link DiskError} for damage (K4). `seesEarly`: reads see a write before it is durable. */
  mount(life: Life, seesEarly: boolean): MountedStorage {
    const { platter } = this;
    for (const index of platter.damaged) this.#refuseDamaged(index);
    this.#epoch++;
    this.#dirty = [];
    this.#flushing = 0;
    this.failNext = undefined;
    this.#mounted = new MountedStorage(this, life, seesEarly ? platter.copy() : platter, seesEarly);
    return this.#mounted;
  }

  /** Takes a batch; the flush begins at once or after the one under way. */
  submit(write: DirtyWrite): void {
    this.#dirty.push(write);
    if (this.#flushing === 0) this.#startFlush();
  }

  /** Calls `done` in the life of a process once something beside the log (a spooled snapshot) is durable. */
  sync(life: Life, done: () => void): void {
    this.#world.after(this.#flushTime(), "disk-sync", this.#nodeId, life, done);
  }

  /** Nothing goes wrong from now on. What is damaged stays damaged. */
  heal(): void {
    this.flushMs = QUICK_MS;
    this.failNext = undefined;
  }

  /** Power is lost, or the process killed (K2). Returns how many batches were lost. */
  crash(): number {
    const survivors = this.#random.below(this.#dirty.length + 1);
    this.#persist(this.#dirty.slice(0, survivors));
    const lost = this.#dirty.length - survivors;
    if (lost > 0 && this.#random.chance(0.5)) this.#world.faults.count("torn-record");
    if (lost > 0) this.#world.faults.count("unsynced-lost", lost);
    this.#unmount();
    return lost;
  }

  /** Flips a bit of an entry that was acknowledged. False if there is none. */
  flipBit(): boolean {
    const { firstIndex, lastIndex } = this.platter;
    if (lastIndex < firstIndex) return false;
    this.platter.damaged.add(this.#random.whole(firstIndex, lastIndex));
    return true;
  }

  /** K4. */
  #refuseDamaged(index: LogIndex): void {
    throw new DiskError("corrupt", `entry ${index} of node ${this.#nodeId} does not match its checksum`);
  }

  #startFlush(): void {
    this.#flushing = this.#dirty.length;
    const epoch = this.#epoch;
    this.#world.after(this.#flushTime(), "disk-flush", this.#nodeId, undefined, () => {
      if (epoch === this.#epoch) this.#endFlush();
    });
  }

  #endFlush(): void {
    if (this.failNext !== undefined) {
      this.#fail(this.failNext);
      return;
    }
    const done = this.#dirty.splice(0, this.#flushing);
    this.#flushing = 0;
    this.#persist(done);
    for (const write of done) write.life.deliver("disk-done", write.resolve);
    if (this.#dirty.length > 0) this.#startFlush();
  }

  /** K3. */
  #fail(kind: "fsync" | "full"): void {
    const failed = this.#dirty;
    if (kind === "fsync") this.#persist(failed.slice(0, this.#random.below(failed.length + 1)));
    const error = new DiskError(kind, kind === "fsync" ? "fsync failed: EIO" : "no space left on device");
    this.#mounted?.refuse(error);
    this.#world.faults.count(kind === "fsync" ? "failed-fsync" : "no-space");
    this.#unmount();
    for (const write of failed) write.life.deliver("disk-failed", () => write.reject(error));
  }

  #persist(writes: readonly DirtyWrite[]): void {
    for (const { batch, chunks } of writes) {
      const flaw = this.platter.apply(batch, chunks);
      if (flaw !== undefined) this.#world.fail(new Violation("storage-contract", `node ${this.#nodeId}: ${flaw}`));
    }
  }

  #unmount(): void {
    this.#epoch++;
    this.#dirty = [];
    this.#flushing = 0;
    this.#mounted = undefined;
  }

  #flushTime(): number {
    return this.#random.between(this.flushMs[0], this.flushMs[1]);
  }
}
