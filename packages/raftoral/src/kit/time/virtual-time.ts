/**
 * One clock for all nodes of a test cluster. Time stands still while code runs, and jumps to the next timer when nothing is left to do.
 *
 * A timer fires, then everything that it set off in the microtask queue runs to the end; then the next timer fires.
 *
 * V1. Timers fire in the order of their time, and of their setting where times are equal. The same seed and the same program give the same
 *     order.
 * V2. Periodic timers (ticks, leader's duties) keep a cluster going; no test waits for them. While the cluster is quiet, time jumps over them
 *     to the next other timer, and each of them fires once then. A cluster that is not quiet (an election, a takeover) gets every tick.
 * V3. What a process that is cut off does by itself (dialling, retrying) leads to nothing. While the cluster is quiet, its timers are passed over as
 *     periodic ones are.
 * V4. No timer of a process fires after the process has ended.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import { type Timer, TimerHeap } from "./timer-heap.ts";

interface ProcessTimer extends Timer {
  readonly process: VirtualProcess;
  /** Whether it is a workflow's. */
  readonly isProgram: boolean;
}

/** One life of a node. Its timers end with it. */
export class VirtualProcess {
  /** For consensus, transport and the node itself. */
  readonly clock: Clock;
  /** For workflows: what is set on it are the timers that a test waits for. */
  readonly programClock: Clock;
  /** Whether the process is cut off (V3). For {@link VirtualTime.setAside}. */
  isAside = false;
  #isAlive = true;

  constructor(time: VirtualTime) {
    this.clock = time.clockOf(this, "system");
    this.programClock = time.clockOf(this, "program");
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Nothing of the process happens from now on. */
  end(): void {
    this.#isAlive = false;
  }
}

/** Options of a {@link VirtualTime}. */
export interface VirtualTimeOptions {
  /** Where time begins, in milliseconds since the epoch. */
  readonly startMs: number;
  /** Whether ticks would change nothing: there is a leader, everybody follows it, and what dead nodes owned has been handed on. */
  readonly isQuiet: () => boolean;
  /** After this long without activity, the timers of workflows included, the cluster counts as quiet, in virtual milliseconds: a node that is cut off never is. */
  readonly settleMs: number;
}

const NEVER = Number.POSITIVE_INFINITY;
/** What a call on a node that is cut off waits for comes within this time, or never, in virtual milliseconds. */
const ASIDE_MS = 120_000;

/** Virtual time of one test cluster (V1 to V3). Each process gets its clock from it. */
export class VirtualTime {
  readonly startMs: number;
  readonly #options: VirtualTimeOptions;
  readonly #system = new TimerHeap<ProcessTimer>();
  readonly #program = new TimerHeap<ProcessTimer>();
  readonly #periodic = new TimerHeap<ProcessTimer>();
  /** One-time timers of the systems that are cut off. */
  readonly #aside = new TimerHeap<ProcessTimer>();
  #elapsedMs = 0;
  #order = 0;
  #lastActivityMs = 0;
  #fired = 0;

  constructor(options: VirtualTimeOptions) {
    this.startMs = options.startMs;
    this.#options = options;
  }

  /** Virtual milliseconds since the epoch, whole as those of a platform clock. */
  get nowMs(): number {
    return this.startMs + Math.floor(this.#elapsedMs);
  }

  /** Virtual milliseconds since the start. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Timers that have fired so far. */
  get fired(): number {
    return this.#fired;
  }

  /** Something happened that may lead to more. */
  activity(): void {
    this.#lastActivityMs = this.#elapsedMs;
  }

  /** When the next timer of a workflow is due, in milliseconds since the start; infinite when there is none. */
  get nextProgramTimerMs(): number {
    return this.#program.peek()?.atMs ?? NEVER;
  }

  /** Whether nothing is left to do at this moment, and ticks would change nothing. */
  get isIdle(): boolean {
    return Math.min(this.#dueMs(this.#system), this.nextProgramTimerMs) > this.#elapsedMs && this.#isQuiet();
  }

  /**
   * Fires the next timer that is due at `untilMs` (since the start) or before, and lets what it set off run to the end. False when there is
   * none: then it is `untilMs`, if that is finite.
   */
  async step(untilMs: number): Promise<boolean> {
    const next = this.#next(untilMs);
    if (next === undefined) {
      if (untilMs !== NEVER) this.#elapsedMs = Math.max(this.#elapsedMs, untilMs);
      return false;
    }
    this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
    if (next.process.isAlive) {
      // What a workflow does now may be lost on its way, and needs ticks to come about.
      if (next.isProgram) this.activity();
      this.#fired += 1;
      next.fire();
      await settled();
    }
    return true;
  }

  #next(untilMs: number): ProcessTimer | undefined {
    const once = earlier(this.#system.peek(), this.#program.peek());
    const dueMs = Math.min(once?.atMs ?? NEVER, untilMs);
    const passedOver = earlier(this.#periodic.peek(), this.#aside.peek());
    if (passedOver !== undefined && passedOver.atMs < dueMs) {
      if (!this.#isQuiet()) return this.#take(passedOver);
      if (dueMs === NEVER) return this.#lastOfAll();
      this.#periodic.postpone(dueMs);
      this.#aside.postpone(dueMs);
    }
    if (once === undefined || once.atMs > untilMs) return undefined;
    return this.#take(once);
  }

  /** Only periodic timers are left, with which nothing will ever happen, and those of systems that are cut off. */
  #lastOfAll(): ProcessTimer | undefined {
    const aside = this.#aside.peek();
    if (aside === undefined || aside.atMs - this.#lastActivityMs > ASIDE_MS) return undefined;
    return this.#take(aside);
  }

  /** Takes a timer that is first in its heap. */
  #take(timer: ProcessTimer): ProcessTimer | undefined {
    const heap = [this.#system, this.#program, this.#periodic, this.#aside].find((one) => one.peek() === timer);
    return heap?.pop();
  }

  /** Says whether a process is cut off from now on (V3). */
  setAside(process: VirtualProcess, isAside: boolean): void {
    if (process.isAside === isAside) return;
    process.isAside = isAside;
    const [from, to] = isAside ? [this.#system, this.#aside] : [this.#aside, this.#system];
    for (const timer of from.takeAll((one) => one.process === process)) to.push(timer);
  }

  #isQuiet(): boolean {
    const { isQuiet, settleMs } = this.#options;
    return isQuiet() || this.#elapsedMs - this.#lastActivityMs >= settleMs;
  }

  #dueMs(heap: TimerHeap<ProcessTimer>): number {
    return heap.peek()?.atMs ?? NEVER;
  }

  /** A clock of a process. What is set on a `program` clock counts as a workflow's timer, unless it is due at once. */
  clockOf(process: VirtualProcess, kind: "system" | "program"): Clock {
    const once = (): TimerHeap<ProcessTimer> => {
      if (kind === "program") return this.#program;
      return process.isAside ? this.#aside : this.#system;
    };
    return {
      wallMs: () => this.nowMs,
      monotonicMs: () => this.#elapsedMs,
      after: (delayMs, fn) => this.#set(once(), process, delayMs, fn),
      every: (periodMs, fn) => this.#every(process, periodMs, fn),
      soon: (fn) => {
        this.#set(this.#system, process, 0, fn);
      },
    };
  }

  #every(process: VirtualProcess, periodMs: number, fn: () => void): Cancel {
    let cancel: Cancel = () => {};
    const arm = (): void => {
      cancel = this.#set(this.#periodic, process, periodMs, () => {
        arm();
        fn();
      });
    };
    arm();
    return () => cancel();
  }

  #set(heap: TimerHeap<ProcessTimer>, process: VirtualProcess, delayMs: number, fire: () => void): Cancel {
    // As a platform timer does: what is no positive number is 0.
    const atMs = this.#elapsedMs + Math.max(0, delayMs || 0);
    const timer = { atMs, order: this.#order++, process, isProgram: heap === this.#program, fire, isCancelled: false };
    heap.push(timer);
    return () => {
      timer.isCancelled = true;
    };
  }
}

function earlier(a: ProcessTimer | undefined, b: ProcessTimer | undefined): ProcessTimer | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order) ? a : b;
}

/** Resolves once everything that waits in the microtask queue has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
