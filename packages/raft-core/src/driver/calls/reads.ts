/**
 * Linearizable reads (thesis §6.4). All requests of one turn join one round. When the leader has confirmed the round, its
 * requests wait until this node has applied the index that the leader gave.
 *
 * Invariants:
 * R1. A round's context is never used again, not even by a later process of the node: an old answer must not confirm a new read.
 * R2. Every request is settled exactly once: confirmed and applied, at its deadline, or when the group ends.
 */

import { RaftError } from "../../errors.ts";
import type { LogIndex } from "../../types.ts";
import { varintBytes, writeVarint } from "../../wire/varint.ts";
import type { CallMeter } from "./call-meter.ts";

/**
 * Rounds under way at once. It is enough to begin a round in each turn of a round trip, and it bounds the rounds that a leader without a
 * quorum has to remember. Further reads join the next round.
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

/**
 * The waiting reads of one node in one group. Promises reject with RaftError OVERLOADED, NO_LEADER, DEADLINE_EXCEEDED, or with the error of
 * {@link Reads.close}.
 */
export class Reads {
  readonly #nonce: number;
  readonly #maxPending: number;
  readonly #meter: CallMeter | undefined;
  #counter = 0;
  /** Requests that are not settled. */
  #size = 0;
  #closed: RaftError | undefined;
  #waiting: Request[] = [];
  /** Rounds under way, by their context as a text of one character for each byte. */
  readonly #rounds = new Map<string, Round>();
  /** Confirmed rounds, ascending by the index that they wait for. */
  #confirmed: { readonly index: LogIndex; readonly requests: readonly Request[] }[] = [];

  constructor(nonce: number, maxPending: number, meter?: CallMeter) {
    this.#nonce = nonce;
    this.#maxPending = maxPending;
    this.#meter = meter;
  }

  /** Number of reads that wait. */
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

  /** Whether a round may begin: reads wait, and fewer rounds than MAX_ROUNDS are under way. */
  get canBegin(): boolean {
    return this.#waiting.length > 0 && this.#rounds.size < MAX_ROUNDS;
  }

  /** Begins a round with all waiting reads and returns its context. */
  begin(tick: number): Uint8Array {
    const counter = ++this.#counter;
    const context = new Uint8Array(varintBytes(this.#nonce) + varintBytes(counter));
    writeVarint(context, writeVarint(context, 0, this.#nonce), counter);
    this.#rounds.set(keyOf(context), { requests: this.#waiting, startedAt: tick });
    this.#waiting = [];
    return context;
  }

  /** Records that the leader has confirmed a round at `index`. Its requests resolve once `index` is applied; `applied` is this node's applied index. */
  confirm(context: Uint8Array, index: LogIndex, applied: LogIndex): void {
    const key = keyOf(context);
    const round = this.#rounds.get(key);
    if (round === undefined) return;
    this.#rounds.delete(key);
    this.#confirmed.push({ index, requests: round.requests });
    this.#confirmed.sort((a, b) => a.index - b.index);
    this.applied(applied);
  }

  /** Resolves the confirmed requests whose index is at or below `applied`. */
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

  /** Moves the requests of rounds that began at or before `tick - retryTicks` to the next round: their messages may be lost. */
  retryOlderThan(retryTicks: number, tick: number): void {
    for (const [key, round] of this.#rounds) {
      if (tick - round.startedAt < retryTicks) continue;
      this.#rounds.delete(key);
      this.#waiting.push(...round.requests);
    }
  }

  /** Moves the requests of all rounds to the next round, after a change of leader: the old leader does not answer them. */
  restart(): void {
    for (const round of this.#rounds.values()) this.#waiting.push(...round.requests);
    this.#rounds.clear();
  }

  /** Rejects reads past their deadline. `hasLeader` decides which cause the error names. */
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

  /** Rejects all waiting and all later reads with `error`. */
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
    `${size} reads wait on this node, which is its limit. Try again when some are done, or raise maxPendingReads.`,
    { retryable: true },
  );
}

function timeout(timeoutMs: number, hasLeader: boolean): RaftError {
  return hasLeader
    ? new RaftError(
        "DEADLINE_EXCEEDED",
        `The leader could not confirm a read within ${timeoutMs} ms. Check that a majority of the nodes is up and reachable.`,
        { retryable: true, details: { timeoutMs } },
      )
    : new RaftError(
        "NO_LEADER",
        `No leader was found within ${timeoutMs} ms to confirm a read. Check that a majority of the nodes is up and reachable.`,
        { retryable: true, details: { timeoutMs } },
      );
}
