/**
 * Linearizable reads (thesis §6.4): every request of one turn joins one round; when the leader has confirmed the round, its
 * requests wait until this node has applied the index they were given.
 *
 * Invariants:
 * R1. A round's context is never used again, not even by a later life of the node: an old answer must not confirm a new read.
 * R2. Every request is settled exactly once: confirmed and applied, at its deadline, or when the group ends.
 */

import { RaftError } from "../../errors.ts";
import type { LogIndex } from "../../types.ts";
import { varintBytes, writeVarint } from "../../wire/varint.ts";
import type { CallMeter } from "./call-meter.ts";

/**
 * Rounds under way at once: enough to ask in every turn of a round trip, and a bound on what a leader without a quorum has to
 * remember, which answers none of them. Reads beyond join the next round.
 */
const MAX_ROUNDS = 16;

interface Request {
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly resolve: (index: LogIndex) => void;
  readonly reject: (error: RaftError) => void;
}

interface Round {
  readonly requests: Request[];
  readonly startedAt: number;
}

export class Reads {
  readonly #nonce: number;
  readonly #maxPending: number;
  readonly #meter: CallMeter | undefined;
  #counter = 0;
  /** Requests that are not settled. */
  #size = 0;
  #closed: RaftError | undefined;
  #waiting: Request[] = [];
  /** By the hex of their context. */
  readonly #rounds = new Map<string, Round>();
  /** Confirmed, by the index they wait for; ascending. */
  #confirmed: { readonly index: LogIndex; readonly requests: readonly Request[] }[] = [];

  constructor(nonce: number, maxPending: number, meter?: CallMeter) {
    this.#nonce = nonce;
    this.#maxPending = maxPending;
    this.#meter = meter;
  }

  /** Reads that wait. */
  get size(): number {
    return this.#size;
  }

  /** Queues a read. Rejects at once with OVERLOADED when too many wait. */
  request(nowMs: number, timeoutMs: number): Promise<LogIndex> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#size >= this.#maxPending) {
      this.#meter?.readFailed("OVERLOADED");
      return Promise.reject(overloaded(this.#size));
    }
    this.#size++;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ deadlineMs: nowMs + timeoutMs, timeoutMs, resolve, reject });
    });
  }

  /** Whether reads wait to be asked about, and not as many rounds as may be are under way. */
  get canBegin(): boolean {
    return this.#waiting.length > 0 && this.#rounds.size < MAX_ROUNDS;
  }

  /** Begins a round with everything that waits and returns its context. */
  begin(tick: number): Uint8Array {
    const counter = ++this.#counter;
    const context = new Uint8Array(varintBytes(this.#nonce) + varintBytes(counter));
    writeVarint(context, writeVarint(context, 0, this.#nonce), counter);
    this.#rounds.set(keyOf(context), { requests: this.#waiting, startedAt: tick });
    this.#waiting = [];
    return context;
  }

  /** A round's requests may read once `index` is applied; `applied` is how far this node is. */
  confirm(context: Uint8Array, index: LogIndex, applied: LogIndex): void {
    const key = keyOf(context);
    const round = this.#rounds.get(key);
    if (round === undefined) return;
    this.#rounds.delete(key);
    this.#confirmed.push({ index, requests: round.requests });
    this.#confirmed.sort((a, b) => a.index - b.index);
    this.applied(applied);
  }

  applied(applied: LogIndex): void {
    while (this.#confirmed[0] !== undefined && this.#confirmed[0].index <= applied) {
      const requests = this.#confirmed.shift()?.requests ?? [];
      this.#size -= requests.length;
      for (const { resolve, deadlineMs, timeoutMs } of requests) {
        resolve(applied);
        this.#meter?.readConfirmed(deadlineMs - timeoutMs);
      }
    }
  }

  /** Asks again in a new round for those that began at or before `tick - retryTicks`: their messages may be lost. */
  retryOlderThan(retryTicks: number, tick: number): void {
    for (const [key, round] of this.#rounds) {
      if (tick - round.startedAt < retryTicks) continue;
      this.#rounds.delete(key);
      this.#waiting.push(...round.requests);
    }
  }

  /** The leader changed: what the old one was asked it will not answer. */
  restart(): void {
    for (const round of this.#rounds.values()) this.#waiting.push(...round.requests);
    this.#rounds.clear();
  }

  expire(nowMs: number, hasLeader: boolean): void {
    if (this.#size === 0) return;
    const isDue = (request: Request): boolean => {
      if (request.deadlineMs > nowMs) return false;
      this.#size--;
      this.#reject(request, timeout(request.timeoutMs, hasLeader));
      return true;
    };
    this.#waiting = this.#waiting.filter((request) => !isDue(request));
    for (const [key, round] of this.#rounds) {
      const left = round.requests.filter((request) => !isDue(request));
      if (left.length === 0) this.#rounds.delete(key);
      else if (left.length < round.requests.length) this.#rounds.set(key, { ...round, requests: left });
    }
    this.#confirmed = this.#confirmed
      .map(({ index, requests }) => ({ index, requests: requests.filter((request) => !isDue(request)) }))
      .filter(({ requests }) => requests.length > 0);
  }

  /** Fails who waits, and everyone who comes later. */
  close(error: RaftError): void {
    this.#closed ??= error;
    this.#size = 0;
    const rounds = [...this.#rounds.values(), ...this.#confirmed].flatMap(({ requests }) => requests);
    for (const request of [...this.#waiting, ...rounds]) this.#reject(request, error);
    this.#waiting = [];
    this.#rounds.clear();
    this.#confirmed = [];
  }

  #reject(request: Request, error: RaftError): void {
    request.reject(error);
    this.#meter?.readFailed(error.code);
  }
}

function keyOf(context: Uint8Array): string {
  let key = "";
  for (const byte of context) key += String.fromCharCode(byte);
  return key;
}

function overloaded(size: number): RaftError {
  return new RaftError(
    "OVERLOADED",
    `${size} reads wait on this node, its limit; try again when some are done, or raise maxPendingReads`,
    { retryable: true },
  );
}

function timeout(timeoutMs: number, hasLeader: boolean): RaftError {
  return hasLeader
    ? new RaftError(
        "DEADLINE_EXCEEDED",
        `the leader could not confirm a read within ${timeoutMs} ms; check that a majority of the nodes is up and reachable`,
        { retryable: true, details: { timeoutMs } },
      )
    : new RaftError(
        "NO_LEADER",
        `no leader was found within ${timeoutMs} ms to confirm a read; check that a majority of the nodes is up and reachable`,
        { retryable: true, details: { timeoutMs } },
      );
}
