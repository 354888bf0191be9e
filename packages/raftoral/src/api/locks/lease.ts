/**
 * A lock in the hands of this process: renews its lease, and knows when it may be lost.
 *
 * HL1. The lease counts from before the last request that the cluster has taken was sent, on the monotonic clock. The leader counts it from when it has seen the request. So this
 *      process takes the lock for lost before anybody else can have it, if both clocks run evenly and the event loop runs.
 * HL2. A lease is renewed after a third of its time. What fails is tried again, until the lease is over.
 * HL3. Once it is lost or released, nothing is sent for it any more but its release, once. Its timers are gone.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import { RaftoralError } from "@raftoral/raft-core";
import { WorkflowError } from "@raftoral/workflow";
import type { HeldLock } from "./locks.ts";
import type { LockRequest, LocksPort } from "./locks-port.ts";

/** Part of a lease after which it is renewed (HL2). */
const RENEW_AFTER = 1 / 3;
/** When a renewal that failed is tried again, as a part of the lease. */
const AGAIN_AFTER = 1 / 20;
/** Codes of refusals that no further attempt changes. */
const LOST: ReadonlySet<string> = new Set(["LOCK_LOST", "COMMAND_INVALID", "REQUEST_INVALID"]);

/** What a {@link Lease} is made of. */
export interface LeaseOptions {
  readonly port: LocksPort;
  readonly clock: Clock;
  readonly request: LockRequest;
  readonly token: number;
  /** When the request that was granted was sent, on the monotonic clock. */
  readonly sentAtMs: number;
  /** For calls of its own, in ms. */
  readonly timeoutMs: number;
}

/** See {@link HeldLock} (HL1 to HL3). */
export class Lease implements HeldLock {
  readonly name: string;
  readonly token: number;
  readonly #options: LeaseOptions;
  readonly #controller = new AbortController();
  #validUntilMs: number;
  #cancelRenewal: Cancel = () => {};
  #cancelEnd: Cancel = () => {};
  #released: Promise<void> | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.name = options.request.name;
    this.token = options.token;
    this.#validUntilMs = options.sentAtMs + options.request.leaseMs;
    this.#renewedAt(options.sentAtMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #release(): Promise<void> {
    const wasLost = this.signal.aborted;
    const { port, request, timeoutMs } = this.#options;
    this.#end(new WorkflowError("LOCK_LOST", `Lock ${this.name} was released by its holder. Acquire it again.`));
    // What cannot be released is over with its lease.
    if (!wasLost) await port.release(this.name, request.requestId, { timeoutMs });
  }

  #renewedAt(sentAtMs: number): void {
    const { clock, request } = this.#options;
    this.#validUntilMs = sentAtMs + request.leaseMs;
    this.#cancelEnd();
    this.#cancelEnd = clock.after(Math.max(0, this.#validUntilMs - clock.monotonicMs()), () => this.#isOver());
    this.#renewIn(sentAtMs + request.leaseMs * RENEW_AFTER - clock.monotonicMs());
  }

  #renewIn(delayMs: number): void {
    this.#cancelRenewal();
    this.#cancelRenewal = this.#options.clock.after(Math.max(0, delayMs), () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { port, clock, request, token } = this.#options;
    const sentAtMs = clock.monotonicMs();
    try {
      const timeoutMs = Math.max(1, this.#validUntilMs - sentAtMs);
      await port.renew(this.name, request.requestId, token, { timeoutMs, signal: this.signal });
      if (!this.signal.aborted) this.#renewedAt(sentAtMs);
    } catch (error) {
      if (this.signal.aborted) return;
      if (error instanceof RaftoralError && LOST.has(error.code)) this.#lost(error);
      else this.#renewIn(request.leaseMs * AGAIN_AFTER);
    }
  }

  #isOver(): void {
    const text = `Lock ${this.name} is lost: its lease could not be renewed in time. Stop what needs it, and acquire it again.`;
    this.#lost(new WorkflowError("LOCK_LOST", text, { details: { lock: this.name } }));
  }

  #lost(error: Error): void {
    this.#end(error);
  }

  #end(reason: Error): void {
    this.#cancelRenewal();
    this.#cancelEnd();
    if (!this.signal.aborted) this.#controller.abort(reason);
  }
}
