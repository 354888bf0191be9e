/**
 * The control of time that a test has.
 *
 * T1. Time moves only inside of calls on this object, and while a call on the cluster is pending ({@link drive}).
 * T2. Until the test moves time itself, pending calls move it as far as they need. From the first {@link advance} or {@link toNextTimer} on, they
 *     let everything happen that waits for no time, and the test moves the rest. {@link release} undoes that.
 * T3. A step's function that waits for something real (a file, a socket) holds time, for `realWaitMs` of real time at most.
 * T4. A call that nothing can settle any more rejects with the reason, instead of hanging.
 */
import { platformClock } from "@raftoral/raft-core";
import { type Duration, durationMs } from "@raftoral/workflow";
import { settled, type VirtualTime } from "./virtual-time.ts";

/** What {@link TestTime} needs of the cluster. */
export interface TestTimeOptions {
  readonly time: VirtualTime;
  /** Whether a step's function is under way. */
  readonly hasRealWork: () => boolean;
  /** How long time is held for such work, in real milliseconds. */
  readonly realWaitMs: number;
  /** The error of a call that can never settle: what the runs wait for. */
  readonly stuck: (isHeld: boolean) => Error;
}

/** Real time after which a pending call counts as stuck while the test holds time. */
const STUCK_MS = 2_000;
/** Turns of the event loop without a timer before anything counts as stuck: what code does over several turns by itself is over by then, however slow the machine. */
const IDLE_TURNS = 100;
/** Timers that may fire while no pending call settles. */
const MOST_STEPS = 300_000;
const NEVER = Number.POSITIVE_INFINITY;

/** The time of a {@link TestCluster} (T1 to T4): move it, or wait until nothing is left to do. */
export class TestTime {
  readonly #options: TestTimeOptions;
  readonly #time: VirtualTime;
  readonly #pending = new Set<(error: Error) => void>();
  #isDriving = false;
  /** Calls under way that move time themselves. */
  #moves = 0;
  #isHeld = false;

  constructor(options: TestTimeOptions) {
    this.#options = options;
    this.#time = options.time;
  }

  /** The virtual time. */
  get now(): Date {
    return new Date(this.#time.nowMs);
  }

  /** The virtual time in milliseconds since the epoch. */
  get nowMs(): number {
    return this.#time.nowMs;
  }

  /** Lets `duration` pass. Everything that is due within it happens, in order. */
  async advance(duration: Duration): Promise<void> {
    await this.#move(() => this.#until(this.#time.elapsedMs + durationMs(duration)));
  }

  /**
   * Lets time pass until the next timer of a workflow: the end of a sleep, a deadline, a retry. Everything that it sets off happens, too. False
   * when no workflow waits for a time.
   */
  async toNextTimer(): Promise<boolean> {
    return this.#move(async () => {
      await this.#rest();
      const dueMs = this.#time.nextProgramTimerMs;
      if (dueMs === NEVER) return false;
      await this.#until(dueMs);
      await this.#rest();
      return true;
    });
  }

  /** Lets everything happen that waits for no time. Time passes only for elections and takeovers. */
  async untilIdle(): Promise<void> {
    this.#moves += 1;
    try {
      await this.#rest();
    } finally {
      this.#moves -= 1;
    }
  }

  /** Pending calls move time from now on only as far as a takeover needs. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Pending calls move time again, as far as they need. */
  release(): void {
    this.#isHeld = false;
  }

  /** Lets time pass until `promise` settles (T2). Rejects when nothing is left that could settle it. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    const { promise: stuck, reject } = Promise.withResolvers<never>();
    this.#pending.add(reject);
    // What the call sends may be lost, and needs ticks to be sent again.
    this.#time.activity();
    if (!this.#isDriving) void this.#drive();
    try {
      return await Promise.race([promise, stuck]);
    } finally {
      this.#pending.delete(reject);
    }
  }

  async #drive(): Promise<void> {
    this.#isDriving = true;
    let idleSinceMs: number | undefined;
    let [steps, idleTurns, waiting] = [0, 0, this.#pending.size];
    while (this.#pending.size > 0) {
      // A call that settles is progress; a cluster that elects for ever is none.
      if (this.#pending.size !== waiting) [steps, waiting] = [0, this.#pending.size];
      steps += 1;
      if (steps > MOST_STEPS) {
        this.#reject();
        break;
      }
      await settled();
      await this.#waitForRealWork();
      if (this.#pending.size === 0) break;
      const mayStep = this.#moves === 0 && (!this.#isHeld || !this.#time.isIdle);
      if (mayStep && (await this.#time.step(NEVER))) {
        [idleSinceMs, idleTurns] = [undefined, 0];
        continue;
      }
      idleTurns += 1;
      if (idleTurns <= IDLE_TURNS) continue;
      if (this.#moves > 0) idleSinceMs = undefined;
      else idleSinceMs ??= performance.now();
      if (idleSinceMs !== undefined && this.#isStuck(idleSinceMs)) this.#reject();
      else await realTurn();
    }
    this.#isDriving = false;
  }

  /** Every pending call is stuck (T4). */
  #reject(): void {
    const error = this.#options.stuck(this.#isHeld);
    for (const reject of this.#pending) reject(error);
    this.#pending.clear();
  }

  /** Something of the test's own may settle a call later, so a held cluster gets a while. */
  #isStuck(idleSinceMs: number): boolean {
    return performance.now() - idleSinceMs >= (this.#isHeld ? STUCK_MS : this.#options.realWaitMs / 10);
  }

  async #move<T>(run: () => Promise<T>): Promise<T> {
    this.#isHeld = true;
    this.#moves += 1;
    try {
      return await run();
    } finally {
      this.#moves -= 1;
    }
  }

  async #rest(): Promise<void> {
    for (;;) {
      await settled();
      await this.#waitForRealWork();
      if (this.#time.isIdle) return;
      await this.#time.step(NEVER);
    }
  }

  async #until(untilMs: number): Promise<void> {
    do {
      await settled();
      await this.#waitForRealWork();
    } while (await this.#time.step(untilMs));
  }

  async #waitForRealWork(): Promise<void> {
    const { hasRealWork, realWaitMs } = this.#options;
    if (!hasRealWork()) return;
    await settled();
    const untilMs = performance.now() + realWaitMs;
    while (hasRealWork() && performance.now() < untilMs) await realTurn();
  }
}

function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    platformClock.after(1, resolve);
  });
}
