/**
 * Locks and limiters, who holds them and who waits for them. Who is granted what is decided in granting.ts.
 *
 * LT1. An ask is named by its lock and request id, or by its run and path. Asked again, it is the same ask.
 * LT2. Asks wait in the order in which they came. Tickets and tokens come from the counter of epochs: they ascend, and none is used again, also when the lock was forgotten
 *      since, or the state was restored into another cluster.
 * LT3. A lock that no one has defined is forgotten with its last ask; a limiter only while its bucket is full, so that forgetting it lets nothing more through.
 * LT4. What a run asked for is gone when its generation ends.
 * LT5. A lock is due after anything that may let an ask through, until somebody has looked. That is stored, so a restarted node looks, too.
 * LT6. Everything is bounded: locks, asks of a lock and of a run, names and values. Nothing here walks over the asks of a lock.
 */
import type { StateKey, StateReader, StateRecord } from "@raftoral/raft-core";
import { isLimiter, isSameLimits, type LockLimits } from "../../model/lock.ts";
import { KEY_PREFIX, kindRange } from "../../records/state-keys.ts";
import { readFrom, written } from "../streams/stream-codec.ts";
import {
  type AskOfRun,
  askKey,
  dueLock,
  dueLockKey,
  LOCK_CODECS,
  type LockAsk,
  type LockRecord,
  type LockRequest,
  lockCount,
  lockKey,
  newAsk,
  newLock,
  ofRun,
  ofRunKey,
  requestKey,
  requestOf,
  runAsksPrefix,
  waitersPrefix,
} from "./lock-records.ts";

/** Locks that a cluster has at once at most. */
export const MAX_LOCKS = 100_000;
/** Asks that wait for one lock at most. */
export const MAX_WAITERS = 10_000;
/** Asks of one run at once at most. */
export const MAX_ASKS_OF_RUN = 64;

/** What the table is kept in. */
export interface LockStore extends StateReader {
  scan(start: StateKey, end: StateKey): Iterable<StateRecord>;
  put(key: StateKey, value: Uint8Array): void;
  delete(key: StateKey): void;
}

/** What somebody asks for. */
export type GivenAsk = Omit<LockAsk, "sort" | "token" | "grantedAtMs">;

/** What has happened to an ask: for those who wait for it, and for the leader. */
export interface LockNews {
  readonly what: "asked" | "granted" | "renewed" | "left";
  readonly name: string;
  readonly requestId: string;
  readonly token: number;
  /** 0 for a run's. */
  readonly leaseMs: number;
  readonly renewals: number;
}

/** The locks of one state machine, over its store (LT1 to LT6). */
export class LockTable {
  readonly #store: LockStore;
  readonly #due = new Set<string>();
  readonly #storedDue = new Set<string>();
  /** Records that the command which is being applied has put beside its own, as answers to asks. */
  parts = 0;
  #count: number;
  #storedCount: number;
  #news: LockNews[] = [];
  /** Limiters of which something has happened that the leader is to hear. */
  readonly #limiters = new Set<string>();

  constructor(store: LockStore) {
    this.#store = store;
    for (const [, content] of store.scan(...kindRange(KEY_PREFIX.lockDue))) {
      const { name } = readFrom(LOCK_CODECS.due, content);
      this.#due.add(name);
      this.#storedDue.add(name);
    }
    const count = store.get(KEY_PREFIX.lockCount);
    this.#count = count === undefined ? 0 : readFrom(LOCK_CODECS.count, count).locks;
    this.#storedCount = this.#count;
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** One more record of the command that is applied comes after its own. Gives its number among these, from 0. */
  takePart(): number {
    this.parts += 1;
    return this.parts - 1;
  }

  /** Whether any is due (LT5). */
  get isDue(): boolean {
    return this.#due.size > 0;
  }

  /** At most `limit` of those that are due, by name. */
  due(limit: number): readonly string[] {
    return [...this.#due].sort().slice(0, limit);
  }

  get(name: string): LockRecord | undefined {
    const found = this.#store.get(lockKey(name));
    return found === undefined ? undefined : readFrom(LOCK_CODECS.lock, found);
  }

  /** A new lock. `generation` is a number from the counter of epochs. */
  create(name: string, limits: LockLimits, generation: number): LockRecord {
    const lock = newLock(name, limits, generation);
    this.#put(lock);
    this.#count += 1;
    return lock;
  }

  /** The lock has other limits, or is defined or not. */
  limit(lock: LockRecord, limits: LockLimits, isDefined: boolean, generation: number): LockRecord {
    if (isSameLimits(lock.limits, limits) && lock.isDefined === isDefined) return lock;
    const changed = isSameLimits(lock.limits, limits) ? lock : { ...lock, limits, generation };
    const next = { ...changed, isDefined };
    this.#put(next);
    this.wake(next.name);
    return next;
  }

  /** The first of those that wait for a lock. */
  firstWaiter(name: string): LockAsk | undefined {
    const prefix = waitersPrefix(name);
    for (const [, content] of this.#store.scan(prefix, `${prefix}\u00ff`)) return readFrom(LOCK_CODECS.ask, content);
    return undefined;
  }

  /** The ask of a request. */
  request(name: string, requestId: string): LockRequest | undefined {
    const found = this.#store.get(requestKey(name, requestId));
    return found === undefined ? undefined : readFrom(LOCK_CODECS.request, found);
  }

  /** The ask of a run. */
  ofRun(start: number, path: string): AskOfRun | undefined {
    const found = this.#store.get(ofRunKey(start, path));
    return found === undefined ? undefined : readFrom(LOCK_CODECS.ofRun, found);
  }

  /** At most `limit` of the asks of a run, by path. */
  asksOfRun(start: number, limit: number): readonly AskOfRun[] {
    const asks: AskOfRun[] = [];
    const prefix = runAsksPrefix(start);
    for (const [, content] of this.#store.scan(prefix, `${prefix}\u00ff`)) {
      if (asks.length >= limit) break;
      asks.push(readFrom(LOCK_CODECS.ofRun, content));
    }
    return asks;
  }

  /** The ask that stands there. */
  at(place: Pick<LockAsk, "name" | "ticket" | "token">): LockAsk | undefined {
    const found = this.#store.get(askKey(place));
    return found === undefined ? undefined : readFrom(LOCK_CODECS.ask, found);
  }

  /** An ask waits. `leaseMs` is 0 for a run's. */
  wait(lock: LockRecord, given: GivenAsk, leaseMs: number): void {
    const ask = newAsk({ ...given, token: 0, grantedAtMs: 0 });
    this.#putAsk(ask, leaseMs, 1);
    this.#put({ ...lock, waiting: lock.waiting + 1 });
    this.#tell("asked", ask, leaseMs, 1);
    this.wake(lock.name);
  }

  /** The first of those that wait is granted. A run's ask of a limiter is over with that; another one holds the lock. */
  grant(lock: LockRecord, ask: LockAsk, token: number, grantedAtMs: number): LockRecord {
    this.#store.delete(askKey(ask));
    const granted = { ...ask, token, grantedAtMs };
    const isOver = isLimiter(lock.limits) && ask.start !== 0;
    const request = ask.requestId === "" ? undefined : this.request(ask.name, ask.requestId);
    const { leaseMs = 0, renewals = 0 } = request ?? {};
    if (isOver) this.#store.delete(ofRunKey(ask.start, ask.path));
    else this.#putAsk(granted, leaseMs, renewals + 1);
    const held = lock.held + (isOver ? 0 : 1);
    const taken = lock.taken + (isLimiter(lock.limits) ? 1 : 0);
    const next = { ...lock, waiting: lock.waiting - 1, held, taken };
    this.#put(next);
    if (isLimiter(lock.limits)) this.#limiters.add(lock.name);
    this.#tell("granted", granted, leaseMs, renewals + 1);
    return next;
  }

  /** The lease of a request begins again. Gives it as it is then. */
  renew(request: LockRequest): LockRequest {
    const renewed = { ...request, renewals: request.renewals + 1 };
    const { name, requestId, token, leaseMs, renewals } = renewed;
    this.#store.put(requestKey(name, requestId), written(LOCK_CODECS.request, renewed));
    this.#news.push({ what: "renewed", name, requestId, token, leaseMs, renewals });
    return renewed;
  }

  /** The ask is over: those that wait may be granted what it held. False when there is none there. */
  leave(place: Pick<LockAsk, "name" | "ticket" | "token">): boolean {
    const ask = this.at(place);
    const lock = this.get(place.name);
    if (ask === undefined || lock === undefined) return false;
    this.#store.delete(askKey(ask));
    if (ask.requestId !== "") this.#store.delete(requestKey(ask.name, ask.requestId));
    if (ask.start !== 0) this.#store.delete(ofRunKey(ask.start, ask.path));
    const isHeld = ask.token !== 0;
    this.#put({ ...lock, held: lock.held - (isHeld ? 1 : 0), waiting: lock.waiting - (isHeld ? 0 : 1) });
    this.#tell("left", ask, 0, 0);
    this.wake(lock.name);
    return true;
  }

  /** What the run asked for is over (LT4). */
  runEnded(start: number): void {
    for (const ask of this.asksOfRun(start, MAX_ASKS_OF_RUN)) this.leave(ask);
  }

  /** The bucket of a limiter has so many back. */
  refill(lock: LockRecord, refilled: number): void {
    this.#put({ ...lock, refilled });
    this.#limiters.add(lock.name);
    this.wake(lock.name);
  }

  /** Something may be granted, or the lock may be forgotten (LT5). */
  wake(name: string): void {
    this.#due.add(name);
  }

  /** Nothing of the lock is left to grant. Forgets it, if nothing keeps it (LT3). */
  rest(lock: LockRecord): void {
    const { name, held, waiting, isDefined, taken, refilled, limits } = lock;
    this.#due.delete(name);
    if (isLimiter(limits) && waiting > 0) this.#limiters.add(name);
    if (isDefined || held > 0 || waiting > 0 || (isLimiter(limits) && taken > refilled)) return;
    this.#store.delete(lockKey(name));
    this.#count -= 1;
    this.#limiters.add(name);
  }

  /** A name that was due, and that no lock has any more. */
  forget(name: string): void {
    this.#due.delete(name);
  }

  /** What has happened since the last call, in order. */
  takeNews(): readonly LockNews[] {
    if (this.#news.length === 0) return this.#news;
    const news = this.#news;
    this.#news = [];
    return news;
  }

  /** Limiters of which the leader is to hear since the last call, by name. */
  takeLimiters(): readonly string[] {
    if (this.#limiters.size === 0) return [];
    const names = [...this.#limiters].sort();
    this.#limiters.clear();
    return names;
  }

  /** Stores what is stored with a commit. */
  save(): void {
    for (const name of this.#storedDue) {
      if (this.#due.has(name)) continue;
      this.#storedDue.delete(name);
      this.#store.delete(dueLockKey(name));
    }
    for (const name of this.#due) {
      if (this.#storedDue.has(name)) continue;
      this.#storedDue.add(name);
      this.#store.put(dueLockKey(name), written(LOCK_CODECS.due, dueLock(name)));
    }
    if (this.#count === this.#storedCount) return;
    this.#storedCount = this.#count;
    if (this.#count === 0) this.#store.delete(KEY_PREFIX.lockCount);
    else this.#store.put(KEY_PREFIX.lockCount, written(LOCK_CODECS.count, lockCount(this.#count)));
  }

  #put(lock: LockRecord): void {
    this.#store.put(lockKey(lock.name), written(LOCK_CODECS.lock, lock));
  }

  #putAsk(ask: LockAsk, leaseMs: number, renewals: number): void {
    this.#store.put(askKey(ask), written(LOCK_CODECS.ask, ask));
    if (ask.start !== 0) this.#store.put(ofRunKey(ask.start, ask.path), written(LOCK_CODECS.ofRun, ofRun(ask)));
    else {
      const request = requestOf(ask, leaseMs, renewals);
      this.#store.put(requestKey(ask.name, ask.requestId), written(LOCK_CODECS.request, request));
    }
  }

  #tell(what: LockNews["what"], { name, requestId, token }: LockAsk, leaseMs: number, renewals: number): void {
    this.#news.push({ what, name, requestId, token, leaseMs, renewals });
  }
}
