/**
 * Locks and their asks as the store has them, and the keys of all of it.
 *
 * LR1. Waiting asks of a lock sort by their tickets, holders by their tokens: both come from the counter of epochs, which never gives a number twice.
 */
import type { StateKey } from "@raftoral/raft-core";
import type { WireReader } from "@raftoral/raft-core/wire";
import { AS_KNOWN, type LockLimits, lockLimitsCodec } from "../../model/lock.ts";
import { KEY_PREFIX, lengthAndText, numberKey, textKey } from "../../records/state-keys.ts";
import { readerOf } from "../../wire/command-wire.ts";
import { bool, message, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import type { MessageCodec } from "../../wire/wire-types.ts";
import { invalid } from "../snapshots/snapshot-format.ts";

/** Which of the records below one is: its first field. */
const SORT = Object.freeze({ lock: 1, ask: 2, request: 3, ofRun: 4, due: 5, count: 6 });

/** A lock or a limiter. */
export interface LockRecord {
  readonly sort: number;
  readonly name: string;
  readonly limits: LockLimits;
  /** Whether somebody defined it: then it stays when no one uses it, and what asks name does not count. */
  readonly isDefined: boolean;
  readonly held: number;
  readonly waiting: number;
  /** Of a limiter: asks that were granted so far, and how many of them its bucket has got back. */
  readonly taken: number;
  readonly refilled: number;
  /** Changes with its limits: what was measured of others does not count. */
  readonly generation: number;
}

/** Somebody who holds a lock, or waits for it. */
export interface LockAsk {
  readonly sort: number;
  readonly name: string;
  /** Its place among those that wait. */
  readonly ticket: number;
  /** 0 while it waits. */
  readonly token: number;
  /** Of service code: what names the ask; empty for a run's. */
  readonly requestId: string;
  /** Place of the start of the run that asks, its id, and the path of the ask; 0 and empty for service code. */
  readonly start: number;
  readonly runId: string;
  readonly path: string;
  /** What the holder says of itself. */
  readonly value: string;
  /** The log clock when it was asked, and when it was granted, in ms since the epoch. For people alone. */
  readonly askedAtMs: number;
  readonly grantedAtMs: number;
}

/** The bucket of a limiter, for the leader. */
export interface LockBucket {
  readonly name: string;
  readonly generation: number;
  /** Neither is there any more when the limiter is forgotten: both are 0, as the rate. */
  readonly taken: number;
  readonly refilled: number;
  readonly rateLimit: number;
  readonly ratePeriodMs: number;
  readonly isAwaited: boolean;
}

/** Where the ask of a request is, and its lease. */
export interface LockRequest {
  readonly sort: number;
  readonly name: string;
  readonly requestId: string;
  readonly ticket: number;
  readonly token: number;
  /** How long the ask stays without being renewed, in ms. */
  readonly leaseMs: number;
  /** How often it was asked, granted and renewed: which lease it has. */
  readonly renewals: number;
}

/** Where an ask of a run is. */
export interface AskOfRun {
  readonly sort: number;
  readonly start: number;
  readonly path: string;
  readonly name: string;
  readonly ticket: number;
  readonly token: number;
}

const lockCodec = messageCodec<LockRecord>(
  {
    sort: uint(1),
    name: string(2),
    limits: message(3, lockLimitsCodec, AS_KNOWN),
    isDefined: bool(4),
    held: uint(5),
    waiting: uint(6),
    taken: uint(7),
    refilled: uint(8),
    generation: uint(9),
  },
  {},
);

const askCodec = messageCodec<LockAsk>(
  {
    sort: uint(1),
    name: string(2),
    ticket: uint(3),
    token: uint(4),
    requestId: string(5),
    start: uint(6),
    runId: string(7),
    path: string(8),
    value: string(9),
    askedAtMs: uint(10),
    grantedAtMs: uint(11),
  },
  {},
);

const requestCodec = messageCodec<LockRequest>(
  {
    sort: uint(1),
    name: string(2),
    requestId: string(3),
    ticket: uint(4),
    token: uint(5),
    leaseMs: uint(6),
    renewals: uint(7),
  },
  {},
);

const ofRunCodec = messageCodec<AskOfRun>(
  { sort: uint(1), start: uint(2), path: string(3), name: string(4), ticket: uint(5), token: uint(6) },
  {},
);

/** A lock that is due (granting.ts LG3). */
interface DueLock {
  readonly sort: number;
  readonly name: string;
}

const dueCodec = messageCodec<DueLock>({ sort: uint(1), name: string(2) }, {});

/** How many locks there are. */
interface LockCount {
  readonly sort: number;
  readonly locks: number;
}

const countCodec = messageCodec<LockCount>({ sort: uint(1), locks: uint(2) }, {});

/** Codecs by what they are of. */
export const LOCK_CODECS = Object.freeze({
  lock: lockCodec,
  ask: askCodec,
  request: requestCodec,
  ofRun: ofRunCodec,
  due: dueCodec,
  count: countCodec,
});

/** What a lock is stored as first. */
export function newLock(name: string, limits: LockLimits, generation: number): LockRecord {
  const counts = { held: 0, waiting: 0, taken: 0, refilled: 0 };
  return { sort: SORT.lock, name, limits, isDefined: false, ...counts, generation };
}

/** An ask as it is stored. */
export function newAsk(facts: Omit<LockAsk, "sort">): LockAsk {
  return { sort: SORT.ask, ...facts };
}

/** The entry of a request. */
export function requestOf({ name, requestId, ticket, token }: LockAsk, leaseMs: number, renewals: number): LockRequest {
  return { sort: SORT.request, name, requestId, ticket, token, leaseMs, renewals };
}

/** The entry of a run's ask. */
export function ofRun({ start, path, name, ticket, token }: LockAsk): AskOfRun {
  return { sort: SORT.ofRun, start, path, name, ticket, token };
}

/** The entry of a due lock. */
export function dueLock(name: string): DueLock {
  return { sort: SORT.due, name };
}

/** The record of how many locks there are. */
export function lockCount(locks: number): LockCount {
  return { sort: SORT.count, locks };
}

/** Where a lock's record stands. */
export function lockKey(name: string): StateKey {
  return KEY_PREFIX.lock + textKey(name);
}

/** What the keys of a lock's waiting asks begin with. */
export function waitersPrefix(name: string): StateKey {
  return KEY_PREFIX.lockWaiter + lengthAndText(name);
}

/** What the keys of a lock's holders begin with. */
export function holdersPrefix(name: string): StateKey {
  return KEY_PREFIX.lockHolder + lengthAndText(name);
}

/** Where an ask stands: among the holders, or among those that wait. */
export function askKey({ name, ticket, token }: Pick<LockAsk, "name" | "ticket" | "token">): StateKey {
  return token === 0 ? waitersPrefix(name) + numberKey(ticket) : holdersPrefix(name) + numberKey(token);
}

/** Where the entry of a request stands. */
export function requestKey(name: string, requestId: string): StateKey {
  return KEY_PREFIX.lockRequest + lengthAndText(name) + textKey(requestId);
}

/** What the keys of the asks of a run begin with. */
export function runAsksPrefix(start: number): StateKey {
  return KEY_PREFIX.lockOfRun + numberKey(start);
}

/** Where the entry of a run's ask stands. */
export function ofRunKey(start: number, path: string): StateKey {
  return runAsksPrefix(start) + textKey(path);
}

/** Where the entry of a due lock stands. */
export function dueLockKey(name: string): StateKey {
  return KEY_PREFIX.lockDue + textKey(name);
}

/** The key of a record of locks, out of its content, as a snapshot has it. Throws SNAPSHOT_INVALID for another one. */
export function lockStateKey(content: WireReader): StateKey {
  const bytes = content.rest();
  const read = <T>(codec: MessageCodec<T>): T => codec.read(readerOf(bytes));
  const from = readerOf(bytes);
  const sort = from.field() === 1 ? from.uint() : 0;
  switch (sort) {
    case SORT.lock:
      return lockKey(read(lockCodec).name);
    case SORT.ask:
      return askKey(read(askCodec));
    case SORT.request: {
      const { name, requestId } = read(requestCodec);
      return requestKey(name, requestId);
    }
    case SORT.ofRun: {
      const { start, path } = read(ofRunCodec);
      return ofRunKey(start, path);
    }
    case SORT.due:
      return dueLockKey(read(dueCodec).name);
    case SORT.count:
      return KEY_PREFIX.lockCount;
    default:
      throw invalid(`there is no record of a lock of sort ${sort}`);
  }
}
