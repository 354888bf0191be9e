/** The calls of {@link Locks} over a port. */
import { type Clock, RaftoralError } from "@raftoral/raft-core";
import { LockTimeoutError } from "@raftoral/workflow";
import { limitArgument, optionsArgument, readLimitArgument, reasonArgument, timeoutArgument } from "../arguments.ts";
import { abortable, type CallLimit, type CallOptions, callAborted, type ReadOptions } from "../call-options.ts";
import type { OperationsPort } from "../operations/operations-port.ts";
import { Lease } from "./lease.ts";
import {
  leaseArgument,
  lockLimitsArgument,
  lockNameArgument,
  lockQuery,
  lockTokenArgument,
  rateArgument,
  valueArgument,
} from "./lock-arguments.ts";
import type {
  AcquireOptions,
  ElectOptions,
  GivenLockLimits,
  HeldLock,
  Leader,
  LockChangeOptions,
  LockFilter,
  LockInfo,
  LockLimits,
  Locks,
  TakeOptions,
} from "./locks.ts";
import type { LockChange, LockRequest, LocksPort } from "./locks-port.ts";

/** Part of a lease after which an ask that waits is asked again, which renews it. */
const ASK_AGAIN_AFTER = 1 / 3;
/** Longest time of one question, as proxies allow. */
const MAX_WAIT_MS = 20_000;
/** How long one question about the leader may wait. */
const OBSERVE_MS = 20_000;

/** Pause after a question that failed: the nodes may be electing. */
const FAILURE_PAUSE_MS = 200;
/** Failures of this process's own node, which asking again does not change. */
const FINAL: ReadonlySet<string> = new Set(["CALL_ABORTED", "NODE_STOPPED", "NODE_FAILED", "NODE_REMOVED"]);

/** What {@link CheckedLocks} are made of. */
export interface CheckedLocksOptions {
  readonly port: LocksPort;
  readonly operations: Pick<OperationsPort, "changeLock">;
  readonly clock: Clock;
  /** For calls that name no time. */
  readonly timeoutMs: number;
  /** Fresh ids of requests. */
  readonly uuid: () => string;
}

/** {@link Locks} over a {@link LocksPort}. */
export class CheckedLocks implements Locks {
  readonly #options: CheckedLocksOptions;

  /** What it asks: for those who ask in the name of others, and renew the leases themselves. */
  get port(): LocksPort {
    return this.#options.port;
  }

  constructor(options: CheckedLocksOptions) {
    this.#options = options;
  }

  async acquire(name: string, options?: AcquireOptions): Promise<HeldLock> {
    const { permits = 1 } = optionsArgument(options);
    return await this.#hold(this.#request(name, lockLimitsArgument({ permits }), options), options);
  }

  async tryAcquire(
    name: string,
    options?: Omit<AcquireOptions, "timeoutMs"> & CallOptions,
  ): Promise<HeldLock | undefined> {
    const { port, clock, timeoutMs } = this.#options;
    const { permits = 1 } = optionsArgument(options);
    const request = { ...this.#request(name, lockLimitsArgument({ permits }), options), onlyNow: true };
    const limit = limitArgument(options, timeoutMs);
    const sentAtMs = clock.monotonicMs();
    try {
      const token = await abortable(limit, `Acquiring lock ${name}`, () => port.acquire(request, 0, limit));
      return token === undefined || token === 0
        ? undefined
        : new Lease({ port, clock, request, token, sentAtMs, timeoutMs });
    } catch (error) {
      this.#giveUp(request);
      throw error;
    }
  }

  async take(name: string, options: TakeOptions): Promise<void> {
    const rate = rateArgument(optionsArgument(options));
    const request = this.#request(name, { rate }, options);
    await this.#granted(request, options);
    // It is known to be taken: no one needs to hear of it again.
    this.#giveUp(request);
  }

  async elect(name: string, options?: ElectOptions): Promise<HeldLock> {
    return await this.#hold(this.#request(name, { permits: 1 }, options), options);
  }

  async *observe(
    name: string,
    options?: Pick<CallOptions, "signal">,
  ): AsyncGenerator<Leader | undefined, void, undefined> {
    const named = lockNameArgument(name);
    const { signal } = limitArgument(options, OBSERVE_MS);
    // No token is negative: the first answer comes at once.
    let not = -1;
    for (;;) {
      const limit: CallLimit = { timeoutMs: OBSERVE_MS + this.#options.timeoutMs, signal };
      const leader = await abortable(
        limit,
        `Observing the leader of ${named}`,
        () => this.#options.port.leader(named, not, OBSERVE_MS, limit),
        "read",
      );
      if (leader === undefined || leader.token === not) continue;
      not = leader.token;
      yield leader.token === 0 ? undefined : leader;
    }
  }

  async get(name: string, options?: ReadOptions): Promise<LockInfo | undefined> {
    const named = lockNameArgument(name);
    const limit = readLimitArgument(options, this.#options.timeoutMs);
    const query = { ...lockQuery({}), name: named };
    const [found] = await abortable(
      limit,
      `Reading lock ${named}`,
      () => this.#options.port.locks(query, limit),
      "read",
    );
    return found;
  }

  async list(filter: LockFilter = {}, options?: ReadOptions): Promise<readonly LockInfo[]> {
    const query = lockQuery(optionsArgument(filter));
    const limit = readLimitArgument(options, this.#options.timeoutMs);
    return await abortable(limit, "Listing locks", () => this.#options.port.locks(query, limit), "read");
  }

  async forceRelease(name: string, token: number, options?: LockChangeOptions): Promise<void> {
    await this.#change("Releasing", name, { kind: "release", token: lockTokenArgument(token) }, options);
  }

  async define(name: string, limits: GivenLockLimits, options?: LockChangeOptions): Promise<void> {
    await this.#change("Defining", name, { kind: "define", limits: lockLimitsArgument(limits) }, options);
  }

  async delete(name: string, options?: LockChangeOptions): Promise<void> {
    await this.#change("Deleting", name, { kind: "delete" }, options);
  }

  async #change(
    doing: string,
    name: string,
    change: LockChange,
    options: LockChangeOptions | undefined,
  ): Promise<void> {
    const named = lockNameArgument(name);
    const limit = limitArgument(options, this.#options.timeoutMs);
    const request = { name: named, change, reason: reasonArgument(optionsArgument(options).reason, "") };
    await abortable(limit, `${doing} lock ${named}`, () => this.#options.operations.changeLock(request, limit));
  }

  #request(name: string, limits: LockLimits, options: Partial<AcquireOptions> | undefined): LockRequest {
    const { leaseMs, value } = optionsArgument(options);
    const asked = { leaseMs: leaseArgument(leaseMs), value: valueArgument(value), onlyNow: false };
    return { name: lockNameArgument(name), limits, requestId: this.#options.uuid(), ...asked };
  }

  async #hold(request: LockRequest, options: AcquireOptions | undefined): Promise<HeldLock> {
    const { port, clock, timeoutMs } = this.#options;
    const granted = await this.#granted(request, options);
    return new Lease({ port, clock, request, ...granted, timeoutMs });
  }

  /** Asks until it is granted. What is not granted does not wait any longer when this rejects. */
  async #granted(
    request: LockRequest,
    options: AcquireOptions | TakeOptions | undefined,
  ): Promise<{ readonly token: number; readonly sentAtMs: number }> {
    const { port, clock, timeoutMs: callMs } = this.#options;
    const { signal } = limitArgument(options, callMs);
    const timeoutMs = timeoutArgument(optionsArgument(options).timeoutMs, Number.POSITIVE_INFINITY);
    const what = `Acquiring lock ${request.name}`;
    const untilMs = clock.monotonicMs() + timeoutMs;
    try {
      for (;;) {
        const sentAtMs = clock.monotonicMs();
        const leftMs = untilMs - sentAtMs;
        const waitMs = Math.max(0, Math.floor(Math.min(request.leaseMs * ASK_AGAIN_AFTER, MAX_WAIT_MS, leftMs)));
        const limit: CallLimit = { timeoutMs: waitMs + callMs, signal };
        const token = await abortable(limit, what, () => port.acquire(request, waitMs, limit)).catch(passing);
        if (signal?.aborted === true) throw callAborted(signal, what);
        if (typeof token === "number" && token > 0) return { token, sentAtMs };
        if (untilMs <= clock.monotonicMs()) throw token instanceof Error ? token : new LockTimeoutError(request.name);
        if (token instanceof Error) await pause(clock, (over) => abortable(limit, what, () => over));
      }
    } catch (error) {
      this.#giveUp(request);
      throw error;
    }
  }

  /** No one waits for the answer; what does not arrive is over with its lease. */
  #giveUp({ name, requestId }: LockRequest): void {
    const { port, timeoutMs } = this.#options;
    void port.release(name, requestId, { timeoutMs }).catch(() => {});
  }
}

/** A failure that may pass while the ask waits: it is given, and any other one thrown. */
function passing(error: unknown): Error {
  if (error instanceof RaftoralError && error.retryable && !FINAL.has(error.code)) return error;
  throw error;
}

/** Waits for {@link FAILURE_PAUSE_MS}, or until `wait` rejects. */
async function pause(clock: Clock, wait: (over: Promise<void>) => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(FAILURE_PAUSE_MS, resolve);
  try {
    await wait(promise);
  } finally {
    cancel();
  }
}
