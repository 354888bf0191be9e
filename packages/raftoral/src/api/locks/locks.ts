/** Locks, semaphores, rate limiters and elections: exact across the cluster, for runs and for service code. */
import type { CallOptions, ReadOptions } from "../call-options.ts";

/** How often a limiter lets something through. */
export interface LockRate {
  /** Permits in `periodMs`, on average. */
  readonly limit: number;
  readonly periodMs: number;
  /** Permits that may be taken at once after a pause (`limit`). */
  readonly burst?: number;
}

/** Options of what operators do to locks. */
export interface LockChangeOptions extends CallOptions {
  /** Why, for the audit; text of at most 10,000 characters. */
  readonly reason?: string;
}

/** What a lock grants: `permits` for a lock, `rate` for a limiter. */
export type LockLimits = { readonly permits: number } | { readonly rate: Required<LockRate> };

/** As {@link LockLimits}, as callers give them. */
export type GivenLockLimits = { readonly permits: number } | { readonly rate: LockRate };

/** Options of an ask. */
interface AskOptions {
  /** How long the ask stays without a word of this process, in milliseconds (15,000): after its death others wait so long at most. It is renewed by itself. */
  readonly leaseMs?: number;
  /** How long to wait, in milliseconds. As long as it takes by default; beyond it the call rejects with LockTimeoutError. */
  readonly timeoutMs?: number;
  /** Ends the wait with CALL_ABORTED. Nothing is held then, and nothing waits. */
  readonly signal?: AbortSignal;
  /** What others see of the holder: at most 1,000 characters. Nothing by default. */
  readonly value?: string;
}

/** Options of {@link Locks.acquire}. */
export interface AcquireOptions extends AskOptions {
  /** How many may hold the lock at once (1). The latest number that code gives counts, and above it what an operator has defined. */
  readonly permits?: number;
}

/** Options of {@link Locks.take}. */
export interface TakeOptions extends LockRate, Omit<AskOptions, "value"> {}

/** Options of {@link Locks.elect}. */
export interface ElectOptions extends AskOptions {}

/**
 * A lock that this process holds, until it is released or lost. `await using` releases it.
 *
 * The lease is renewed in the background. When that does not succeed in time, `signal` aborts before anybody else can get the lock, as long as this process and its event
 * loop run: a process that is stopped in between learns of it when it goes on. So hand `token` to whatever is written to, and let that refuse lower ones than it has seen.
 */
export interface HeldLock extends AsyncDisposable {
  readonly name: string;
  /** Higher than every token that holders of this lock had before, for ever. */
  readonly token: number;
  /** Aborted when the lock is lost, with LOCK_LOST: its lease could not be renewed in time, or an operator took it. Also aborted by {@link release}. */
  readonly signal: AbortSignal;
  /** Lets others have the lock. Resolves once that is committed; a lock that was lost needs no release. Idempotent. */
  release(): Promise<void>;
}

/** Somebody who holds a lock, or waits for it. */
export interface LockAsk {
  /** Undefined while it waits. */
  readonly token: number | undefined;
  /** The run that asks, and the path of its call; undefined for service code. */
  readonly runId: string | undefined;
  readonly path: string | undefined;
  /** What names the ask of service code; undefined for a run's. */
  readonly requestId: string | undefined;
  /** What the holder says of itself; empty for nothing. */
  readonly value: string;
  /** How long the ask of service code stays without being renewed, in milliseconds; undefined for a run's. */
  readonly leaseMs: number | undefined;
  /** In milliseconds since the epoch; `grantedAtMs` is undefined while it waits. */
  readonly askedAtMs: number;
  readonly grantedAtMs: number | undefined;
}

/** A lock that a run holds or waits for. */
export interface LockOfRun {
  readonly name: string;
  /** Of the call that asked for it, as in the history. */
  readonly path: string;
  /** Undefined while it waits. */
  readonly token: number | undefined;
  /** While it waits: some of those that hold the lock. */
  readonly heldBy: readonly LockAsk[];
}

/** A lock or a limiter. */
export interface LockInfo {
  readonly name: string;
  readonly limits: LockLimits;
  /** Whether somebody has defined it; another one is forgotten when no one uses it. */
  readonly isDefined: boolean;
  readonly held: number;
  readonly waiting: number;
  /** Permits that are free; of a limiter, as far as the state has been told: it is told when somebody waits. */
  readonly available: number;
  /** Asks that a limiter has granted since it came into use; 0 for a lock. */
  readonly taken: number;
  /** When the first of those that wait asked, in milliseconds since the epoch; undefined when none waits. */
  readonly oldestAtMs: number | undefined;
  /** Some of the holders, by token, and the first of those that wait, in their order. */
  readonly holders: readonly LockAsk[];
  readonly waiters: readonly LockAsk[];
}

/** Which locks to list. */
export interface LockFilter {
  /** Only those whose names begin so. */
  readonly prefix?: string;
  /** Only those whose names come after this one: the last one of the page before. */
  readonly after?: string;
  /** How many at most (100). */
  readonly limit?: number;
}

/** Who leads, as an observer sees it. */
export interface Leader {
  readonly token: number;
  /** What it says of itself. */
  readonly value: string;
}

/** Acquires locks, and tells of them. Each name is one lock, for runs (`ctx.lock`) and for service code. */
export interface Locks {
  /**
   * Waits for a lock, in the order of asking, and holds it under a lease that is renewed until it is released. Rejects with LockTimeoutError, NAME_INVALID, REQUEST_INVALID,
   * LOCK_LIMIT_REACHED, or LOCK_CONFLICT for a name that is a limiter's.
   */
  acquire(name: string, options?: AcquireOptions): Promise<HeldLock>;
  /** As {@link acquire}, without waiting: undefined when the lock is not free. */
  tryAcquire(name: string, options?: Omit<AcquireOptions, "timeoutMs"> & CallOptions): Promise<HeldLock | undefined>;
  /** Waits for a permit of a rate limiter, in the order of asking. A permit that was granted is taken. Rejects as {@link acquire} does. */
  take(name: string, options: TakeOptions): Promise<void>;
  /** Waits to become the leader of this name: the only holder of the lock. `release` resigns. `value` tells observers who leads. Rejects as {@link acquire} does. */
  elect(name: string, options?: ElectOptions): Promise<HeldLock>;
  /** Who leads now, and who leads after that; undefined while no one does. A leader that was soon followed by another one may be left out. Ends with the reader, or with CALL_ABORTED. */
  observe(name: string, options?: Pick<CallOptions, "signal">): AsyncIterable<Leader | undefined>;
  /** A lock with its holders and those that wait, up to 100 of each; undefined when no one uses or has defined it. */
  get(name: string, options?: ReadOptions): Promise<LockInfo | undefined>;
  /** Locks by name, with up to 3 of their holders and of those that wait. */
  list(filter?: LockFilter, options?: ReadOptions): Promise<readonly LockInfo[]>;
  /**
   * Takes a lock from its holder. The holder is not asked: a process hears of it when it renews its lease, a run does not; its token is lower than the next one's. It is
   * audited. Rejects with LOCK_NOT_HELD.
   */
  forceRelease(name: string, token: number, options?: LockChangeOptions): Promise<void>;
  /** Defines a lock or limiter: its limits stand above those that code gives. Lower ones take nothing from holders. Rejects with NAME_INVALID, REQUEST_INVALID, LOCK_LIMIT_REACHED or LOCK_CONFLICT. */
  define(name: string, limits: GivenLockLimits, options?: LockChangeOptions): Promise<void>;
  /** Forgets a definition: the limits that code gives count from then on. Rejects with LOCK_NOT_FOUND. */
  delete(name: string, options?: LockChangeOptions): Promise<void>;
}
