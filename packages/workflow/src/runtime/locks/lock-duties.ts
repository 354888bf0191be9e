/**
 * The leader's part in locks: ends leases that are over, gives buckets of limiters their tokens back, and goes on granting where a command has left some.
 *
 * LK1. What is left is in the state, so the next leader goes on with it. Doing it twice, or by two leaders, harms nothing (commands/locks/locks-due.ts LD2).
 * LK2. How old a lease is, is measured on this process's monotonic clock, from when it was seen to begin: so it is never said to be over too early. A leader that begins
 *      counts every lease from then on. No clock that people set has a part in it.
 * LK3. A bucket gets a token back for each `ratePeriodMs / rateLimit` since it was seen not to be full. A leader that begins counts from then on: what the bucket would have got
 *      and was not told is lost.
 * LK4. Nothing is proposed for a bucket for which no one waits, until it would have been full for a while: then it is said once, and an unused limiter is forgotten.
 * LK5. There is one timer, for what is first. Leases that no one holds any more are dropped from the heap when their turn comes, or when they are the most of it.
 */
import type { Cancel, Clock, Logger } from "@raftoral/raft-core";
import { type LocksDue, MAX_DUE_AT_ONCE } from "../../commands/locks/locks-due.ts";
import type { LockLease } from "../../state/locks/lock-view.ts";
import type { LockChanged, LocksTold } from "../../state/workflow-event.ts";
import { MinHeap } from "../collections/min-heap.ts";
import type { WorkflowEngine } from "../engine/workflow-engine.ts";
import { Repeated } from "../repeated.ts";
import { Buckets } from "./buckets.ts";

/** What {@link LockDuties} are made of. */
export interface LockDutiesOptions {
  readonly engine: WorkflowEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this node leads, and goes on. */
  readonly goOn: () => boolean;
}

/** Longest time that a timer waits. */
const MAX_TIMER_MS = 60_000;
/** Timers and clocks may be off by a part of a millisecond. */
const SLACK_MS = 1;
/** When to look again after a proposal that failed. */
const RETRY_MS = 1_000;
/** Entries of the heap beyond which those that count for nothing are dropped. */
const MIN_RETAINED = 1_024;

interface Lease extends LockLease {
  readonly key: string;
  readonly dueMs: number;
}

/** The duties of one node; its owner calls it only while the node leads (LK1 to LK5). */
export class LockDuties {
  readonly #options: LockDutiesOptions;
  readonly #work: Repeated;
  readonly #leases = new Map<string, Lease>();
  readonly #heap = new MinHeap<Lease>();
  readonly #buckets: Buckets;
  #isDue = false;
  #hasBegun = false;
  #notBeforeMs = 0;
  #cancelTimer: Cancel = () => {};

  constructor(options: LockDutiesOptions) {
    this.#options = options;
    this.#buckets = new Buckets(options.clock);
    this.#work = new Repeated(
      () => this.#attend(),
      (error) => {
        options.logger.debug({ err: error }, "what is due of locks waits for the next look");
        this.#notBeforeMs = options.clock.monotonicMs() + RETRY_MS;
        this.#setTimer();
      },
    );
  }

  /** This node begins to lead, or another one does: nothing that it saw before counts (LK2). */
  reset(): void {
    this.#leases.clear();
    this.#heap.retain(() => false);
    this.#buckets.clear();
    this.#isDue = false;
    this.#hasBegun = false;
    this.#notBeforeMs = 0;
    this.#cancelTimer();
  }

  /** Looks after what may have been left. To be called every second or so. */
  look(isDue: boolean): void {
    this.#isDue ||= isDue;
    if (!this.#hasBegun || (this.#waitMs() ?? 1) <= 0) this.#work.wanted();
  }

  /** Something has happened to an ask. */
  onChanged({ what, name, requestId, leaseMs, renewals }: LockChanged): void {
    if (requestId === "") return;
    const key = keyOf(name, requestId);
    if (what === "left") this.#leases.delete(key);
    else this.#see({ name, requestId, leaseMs, renewals });
  }

  /** Something has happened to limiters, or locks are due. */
  onTold({ isDue, buckets }: LocksTold): void {
    this.#isDue ||= isDue;
    for (const bucket of buckets) this.#buckets.see(bucket);
    this.#setTimer();
    if ((this.#waitMs() ?? 1) <= 0) this.#work.wanted();
  }

  stop(): void {
    this.#cancelTimer();
  }

  /** LK2. */
  #see({ name, requestId, leaseMs, renewals }: LockLease): void {
    const key = keyOf(name, requestId);
    const known = this.#leases.get(key);
    if (known !== undefined && known.renewals >= renewals) return;
    const dueMs = this.#options.clock.monotonicMs() + leaseMs + SLACK_MS;
    const lease = { key, name, requestId, leaseMs, renewals, dueMs };
    this.#leases.set(key, lease);
    const isFirst = dueMs < (this.#heap.first?.rank ?? Number.POSITIVE_INFINITY);
    this.#heap.push(dueMs, lease);
    if (this.#heap.size > MIN_RETAINED && this.#heap.size > 4 * this.#leases.size)
      this.#heap.retain((each) => this.#leases.get(each.key) === each);
    if (isFirst) this.#setTimer();
  }

  async #attend(): Promise<void> {
    const { engine, clock, goOn } = this.#options;
    if (!this.#hasBegun) await this.#begin();
    while (goOn() && (this.#waitMs() ?? 1) <= 0) {
      const expired = this.#over();
      const refilled = this.#buckets.refilled(MAX_DUE_AT_ONCE);
      this.#isDue = false;
      const command: LocksDue = { kind: "LocksDue", expired, refilled, atMs: clock.wallMs() };
      const result = await engine.propose(command).catch((error: unknown) => {
        // The next look finds the leases where they were: nothing of the heap is taken until the state has said so.
        this.#isDue = true;
        throw error;
      });
      this.#isDue ||= result.ok && result.kind === "LocksGranted" && result.more;
    }
    this.#setTimer();
  }

  /** What the state has, from now on. */
  async #begin(): Promise<void> {
    const { engine, goOn } = this.#options;
    this.#hasBegun = true;
    let after = "";
    do {
      const page = await engine.lockWatch(after);
      if (!this.#hasBegun || !goOn()) return;
      for (const lease of page.leases) this.#see(lease);
      for (const bucket of page.buckets) this.#buckets.see(bucket);
      if (page.next === undefined) return;
      after = page.next;
    } while (goOn());
  }

  /** Leases that are over, the first ones, for as long as the state has not said that they are. */
  #over(): LocksDue["expired"] {
    const nowMs = this.#options.clock.monotonicMs();
    const over: Lease[] = [];
    for (let first = this.#heap.first; first !== undefined && first.rank <= nowMs; first = this.#heap.first) {
      this.#heap.pop();
      const { value: lease } = first;
      if (this.#leases.get(lease.key) !== lease) continue;
      over.push(lease);
      if (over.length === MAX_DUE_AT_ONCE) break;
    }
    // Said again after a while, if the state does not say that it is over.
    for (const lease of over) this.#heap.push(nowMs + RETRY_MS, lease);
    return over.map(({ name, requestId, renewals }) => ({ name, requestId, renewals }));
  }

  /** How long until there is something to do; undefined when there is nothing. */
  #waitMs(): number | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    const leastMs = this.#notBeforeMs - nowMs;
    if (this.#isDue) return Math.max(0, leastMs);
    const waits = [this.#heap.first?.rank, this.#buckets.nextMs()].filter((at) => at !== undefined);
    return waits.length === 0 ? undefined : Math.max(Math.min(...waits) - nowMs, leastMs);
  }

  #setTimer(): void {
    this.#cancelTimer();
    const waitMs = this.#waitMs();
    if (waitMs === undefined || !this.#options.goOn()) return;
    this.#cancelTimer = this.#options.clock.after(Math.min(Math.max(waitMs, 0), MAX_TIMER_MS), () => {
      if (!this.#options.goOn()) return;
      if ((this.#waitMs() ?? 1) <= 0) this.#work.wanted();
      else this.#setTimer();
    });
  }
}

function keyOf(name: string, requestId: string): string {
  return `${name.length}:${name}${requestId}`;
}
