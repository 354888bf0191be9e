/** The clock of one node: virtual time, run fast or slow and made to jump. The driver's `Clock` port. */
import type { Cancel, Clock, NodeId } from "@raftoral/raft-core";
import type { World } from "../world/world.ts";
import type { Life } from "./life.ts";

/** A day in 2030, so that wall clocks look like wall clocks. */
const WALL_EPOCH_MS = 1_900_000_000_000;

/** The clock of one process. Its timers do not fire after the process has ended. */
export class NodeClock implements Clock {
  readonly #world: World;
  readonly #nodeId: NodeId;
  readonly #life: Life;
  #rate: number;
  #localMs: number;
  #sinceMs: number;
  #wallOffsetMs = WALL_EPOCH_MS;

  /** `rate`: its milliseconds in one of the world. */
  constructor(world: World, nodeId: NodeId, life: Life, rate: number) {
    this.#world = world;
    this.#nodeId = nodeId;
    this.#life = life;
    this.#rate = rate;
    this.#localMs = world.now;
    this.#sinceMs = world.now;
  }

  setRate(rate: number): void {
    this.#localMs = this.monotonicMs();
    this.#sinceMs = this.#world.now;
    this.#rate = rate;
  }

  /** The monotonic clock leaps ahead, the wall clock anywhere. */
  jump(monotonicMs: number, wallMs: number): void {
    this.#localMs += monotonicMs;
    this.#wallOffsetMs += wallMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.monotonicMs();
  }

  monotonicMs(): number {
    return this.#localMs + (this.#world.now - this.#sinceMs) * this.#rate;
  }

  after(delayMs: number, fn: () => void): Cancel {
    const event = this.#world.after(delayMs / this.#rate, "timer", this.#nodeId, this.#life, fn);
    return () => {
      event.cancelled = true;
    };
  }

  every(periodMs: number, fn: () => void): Cancel {
    let stopped = false;
    const arm = (): void => {
      this.#world.after(periodMs / this.#rate, "tick", this.#nodeId, this.#life, () => {
        if (stopped) return;
        arm();
        fn();
      });
    };
    arm();
    return () => {
      stopped = true;
    };
  }

  soon(fn: () => void): void {
    this.#world.after(0, "turn", this.#nodeId, this.#life, fn);
  }
}
