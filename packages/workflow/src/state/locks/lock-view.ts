/** How locks look from outside: copies, structured-cloneable, safe to keep. */
import type { StateKey } from "@raftoral/raft-core";
import { isLimiter, type LockLimits } from "../../model/lock.ts";
import { KEY_PREFIX, kindRange, textKey } from "../../records/state-keys.ts";
import { readFrom } from "../streams/stream-codec.ts";
import type { Tables } from "../tables.ts";
import {
  holdersPrefix,
  LOCK_CODECS,
  type LockAsk,
  type LockBucket,
  type LockRecord,
  waitersPrefix,
} from "./lock-records.ts";
import { MAX_ASKS_OF_RUN } from "./lock-table.ts";

/** Somebody who holds a lock, or waits for it. */
export interface LockAskView {
  /** 0 while it waits. */
  readonly token: number;
  /** The run that asks, and the path of its call; empty for service code. */
  readonly runId: string;
  readonly path: string;
  /** What names the ask of service code; empty for a run's. */
  readonly requestId: string;
  /** What the holder says of itself. */
  readonly value: string;
  /** How long the ask of service code stays without being renewed, in ms; 0 for a run's. */
  readonly leaseMs: number;
  /** The log clock, in ms since the epoch; `grantedAtMs` is 0 while it waits. */
  readonly askedAtMs: number;
  readonly grantedAtMs: number;
}

/** A lock or a limiter. */
export interface LockView {
  readonly name: string;
  readonly limits: LockLimits;
  /** Whether somebody has defined it. */
  readonly isDefined: boolean;
  readonly held: number;
  readonly waiting: number;
  /** Of a limiter: what its bucket holds, as far as the state has been told. */
  readonly available: number;
  /** Asks that a limiter has granted so far, since it came into use. */
  readonly taken: number;
  /** When the first of those that wait asked, by the log clock in ms since the epoch; undefined when none waits. */
  readonly oldestAtMs: number | undefined;
  /** The first of the holders, by token, and of those that wait, in their order. */
  readonly holders: readonly LockAskView[];
  readonly waiters: readonly LockAskView[];
}

/** Which locks to read. */
export interface LockQuery {
  /** Only this one. */
  readonly name?: string;
  /** Only those whose names begin so. */
  readonly prefix?: string;
  /** Only those whose names come after this one, by their bytes. */
  readonly after?: string;
  readonly limit: number;
  /** Holders and waiting asks of each that are read at most. */
  readonly asks: number;
}

/** What a run waits for or holds. */
export interface RunLockView {
  readonly name: string;
  readonly path: string;
  /** 0 while it waits. */
  readonly token: number;
  /** While it waits: some of those that hold the lock. */
  readonly heldBy: readonly LockAskView[];
}

/** A lease, for the leader. */
export interface LockLease {
  readonly name: string;
  readonly requestId: string;
  readonly leaseMs: number;
  readonly renewals: number;
}

/** What a leader that begins goes on from: leases and buckets, in pages. */
export interface LockWatch {
  readonly leases: readonly LockLease[];
  readonly buckets: readonly LockBucket[];
  /** Where the next page begins; undefined when this is the last one. */
  readonly next: StateKey | undefined;
}

/** Records that one page of a {@link LockWatch} looks at. */
const WATCH_PAGE = 1_000;
/** Holders that are named to those who wait. */
const NAMED_HOLDERS = 4;

/** Locks by name. */
export function lockViews(tables: Tables, { name, prefix = "", after, limit, asks }: LockQuery): readonly LockView[] {
  if (name !== undefined) {
    const lock = tables.locks.get(name);
    return lock === undefined ? [] : [viewOf(tables, lock, asks)];
  }
  const first = KEY_PREFIX.lock + textKey(prefix);
  const start =
    after === undefined || textKey(after) < textKey(prefix) ? first : `${KEY_PREFIX.lock}${textKey(after)}\u0000`;
  const views: LockView[] = [];
  for (const [, content] of tables.runs.records.scan(start, `${first}\u00ff`)) {
    if (views.length >= limit) break;
    views.push(viewOf(tables, readFrom(LOCK_CODECS.lock, content), asks));
  }
  return views;
}

/** What a run waits for and holds, by path. */
export function runLocks(tables: Tables, start: number): readonly RunLockView[] {
  return tables.locks.asksOfRun(start, MAX_ASKS_OF_RUN).map(({ name, path, token }) => {
    return { name, path, token, heldBy: token === 0 ? asksIn(tables, holdersPrefix(name), NAMED_HOLDERS) : [] };
  });
}

/** The buckets of limiters. */
export function buckets(tables: Tables, names: readonly string[]): readonly LockBucket[] {
  return names.map((name) => bucketOf(name, tables.locks.get(name)));
}

/** One page of what a leader goes on from. `after`: the `next` of the page before; empty for the first. */
export function lockWatch({ runs }: Tables, after: StateKey): LockWatch {
  const leases: LockLease[] = [];
  const limiters: LockBucket[] = [];
  let next: StateKey | undefined;
  const [start] = kindRange(KEY_PREFIX.lock);
  const [, end] = kindRange(KEY_PREFIX.lockRequest);
  let left = WATCH_PAGE;
  for (const [key, content] of runs.records.scan(after === "" ? start : `${after}\u0000`, end)) {
    if (left-- === 0) return { leases, buckets: limiters, next };
    next = key;
    if (key.startsWith(KEY_PREFIX.lock)) {
      const lock = readFrom(LOCK_CODECS.lock, content);
      if (isLimiter(lock.limits)) limiters.push(bucketOf(lock.name, lock));
    } else if (key.startsWith(KEY_PREFIX.lockRequest)) {
      const { name, requestId, leaseMs, renewals } = readFrom(LOCK_CODECS.request, content);
      leases.push({ name, requestId, leaseMs, renewals });
    }
  }
  return { leases, buckets: limiters, next: undefined };
}

/** Tells of what has happened to locks. */
export function tellLocks(tables: Tables): void {
  const { locks, events, index, clock: atMs } = tables;
  for (const news of locks.takeNews()) events.push({ type: "lock-changed", index, atMs, ...news });
  const limiters = locks.takeLimiters();
  if (limiters.length === 0 && !locks.isDue) return;
  events.push({ type: "locks-told", index, atMs, isDue: locks.isDue, buckets: buckets(tables, limiters) });
}

function bucketOf(name: string, lock: LockRecord | undefined): LockBucket {
  if (lock === undefined || !isLimiter(lock.limits)) {
    return { name, generation: 0, taken: 0, refilled: 0, rateLimit: 0, ratePeriodMs: 0, isAwaited: false };
  }
  const { generation, taken, refilled, waiting } = lock;
  const { rateLimit, ratePeriodMs } = lock.limits;
  return { name, generation, taken, refilled, rateLimit, ratePeriodMs, isAwaited: waiting > 0 };
}

function viewOf(tables: Tables, lock: LockRecord, asks: number): LockView {
  const { name, limits, isDefined, held, waiting, taken, refilled } = lock;
  const available = isLimiter(limits)
    ? Math.max(0, limits.burst - (taken - refilled))
    : Math.max(0, limits.permits - held);
  const counts = { held, waiting, taken, available };
  const oldestAtMs = waiting === 0 ? undefined : tables.locks.firstWaiter(name)?.askedAtMs;
  const holders = asksIn(tables, holdersPrefix(name), asks);
  const waiters = asksIn(tables, waitersPrefix(name), asks);
  return { name, limits, isDefined, ...counts, oldestAtMs, holders, waiters };
}

function asksIn(tables: Tables, prefix: StateKey, limit: number): readonly LockAskView[] {
  const views: LockAskView[] = [];
  if (limit === 0) return views;
  for (const [, content] of tables.runs.records.scan(prefix, `${prefix}\u00ff`)) {
    views.push(askView(tables, readFrom(LOCK_CODECS.ask, content)));
    if (views.length >= limit) break;
  }
  return views;
}

function askView({ locks }: Tables, ask: LockAsk): LockAskView {
  const { name, token, runId, path, requestId, value, askedAtMs, grantedAtMs } = ask;
  const leaseMs = requestId === "" ? 0 : (locks.request(name, requestId)?.leaseMs ?? 0);
  return { token, runId, path, requestId, value, leaseMs, askedAtMs, grantedAtMs };
}
