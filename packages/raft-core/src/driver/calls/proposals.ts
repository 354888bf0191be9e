/**
 * This node's proposals that wait for their result.
 *
 * A proposal is `unsent` until Raft takes it, then `sent` until an entry with its (session, serial) is applied here. Nothing
 * tells the proposer that a message to the leader was lost, so sent ones go out again after a change of leader or a time of
 * silence; the session table makes the repeats harmless.
 *
 * Invariants:
 * P1. Serials rise by one with each proposal of a session and are never used again.
 * P2. Every serial below `floor` is settled here: it got its result, or its caller was told that there is none.
 * P3. Each proposal is settled exactly once; after the end of the group it is refused at once.
 */
import { RaftError } from "../../errors.ts";
import { EMPTY_BYTES, type EntryType } from "../../types.ts";
import { encodeEntryContext } from "../apply/entry-context.ts";
import type { SessionId, Sessions } from "../apply/sessions.ts";
import type { CallMeter } from "./call-meter.ts";

/** What is handed to `RawNode.proposeEntries`. */
export interface OutgoingEntry {
  readonly type: EntryType;
  readonly data: Uint8Array;
  readonly context: Uint8Array;
}

interface Pending<Value> {
  serial: number;
  readonly type: EntryType;
  readonly data: Uint8Array;
  /** On the driver's monotonic clock, in milliseconds. */
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: RaftError) => void;
  /** Tick of the last sending; -1 while it is queued to be sent. */
  sentAt: number;
  /** Whether Raft ever took it: from then on it may be committed. */
  everSent: boolean;
  isSettled: boolean;
}

/** Where a session stands: none yet, being opened by an entry that carries our nonce, or open. */
type SessionState =
  | { readonly kind: "none" }
  | { readonly kind: "opening"; readonly sentAt: number }
  | { readonly kind: "open"; readonly id: SessionId };

export class Proposals<Value> {
  readonly #nodeId: number;
  readonly #nonce: number;
  readonly #maxPending: number;
  readonly #meter: CallMeter | undefined;
  #session: SessionState = { kind: "none" };
  /** In order of serials. */
  #pending = new Map<number, Pending<Value>>();
  /** In order of serials. Settled ones stay until the next look, so that settling costs the same however many there are. */
  #unsent: Pending<Value>[] = [];
  #settledUnsent = 0;
  #closed: RaftError | undefined;
  #nextSerial = 1;
  #floor = 1;

  /** `nonce` tells this driver's registration from that of an earlier life of the node. */
  constructor(nodeId: number, nonce: number, maxPending: number, meter?: CallMeter) {
    this.#nodeId = nodeId;
    this.#nonce = nonce;
    this.#maxPending = maxPending;
    this.#meter = meter;
  }

  get size(): number {
    return this.#pending.size;
  }

  get hasUnsent(): boolean {
    return this.#unsent.length > this.#settledUnsent;
  }

  /** Queues a proposal. Rejects at once with OVERLOADED when too many wait. */
  add(type: EntryType, data: Uint8Array, nowMs: number, timeoutMs: number): Promise<Value> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#pending.size >= this.#maxPending) {
      this.#meter?.proposalFailed("OVERLOADED");
      return Promise.reject(
        new RaftError(
          "OVERLOADED",
          `node ${this.#nodeId} has ${this.#pending.size} proposals waiting, its limit; try again when some are done, or raise maxPendingProposals`,
          { retryable: true },
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const serial = this.#nextSerial++;
      const pending = {
        serial,
        type,
        data,
        deadlineMs: nowMs + timeoutMs,
        timeoutMs,
        resolve,
        reject,
        sentAt: -1,
        everSent: false,
        isSettled: false,
      };
      this.#pending.set(serial, pending);
      this.#unsent.push(pending);
    });
  }

  /**
   * What is to be proposed now, cut into batches of about `maxBytes`. Before a session is open that is only the entry that
   * opens one. Nothing is marked sent: call {@link sent} for each batch that Raft took.
   */
  *batches(maxBytes: number, tick: number, retryTicks: number): Generator<readonly OutgoingEntry[]> {
    this.#dropSettled();
    if (this.#unsent.length === 0) return;
    if (this.#session.kind !== "open") {
      const waiting = this.#session.kind === "opening" && tick - this.#session.sentAt < retryTicks;
      if (!waiting) yield [this.#registration()];
      return;
    }
    const { id: session } = this.#session;
    let batch: OutgoingEntry[] = [];
    let bytes = 0;
    for (const { serial, type, data } of this.#unsent) {
      if (batch.length > 0 && bytes + data.length > maxBytes) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      const id = { session, serial, floor: this.#floor };
      batch.push({ type, data, context: encodeEntryContext({ kind: "proposal", id }) });
      bytes += data.length;
    }
    yield batch;
  }

  /** Raft took a batch of `count` entries. */
  sent(count: number, tick: number): void {
    if (this.#session.kind !== "open") {
      this.#session = { kind: "opening", sentAt: tick };
      return;
    }
    for (const pending of this.#unsent.splice(0, count)) {
      pending.sentAt = tick;
      pending.everSent = true;
    }
  }

  /** The leader changed: what was sent to the old one may be lost. */
  resendAll(): void {
    if (this.#session.kind === "opening") this.#session = { kind: "none" };
    this.#settledUnsent = 0;
    this.#unsent = [...this.#pending.values()];
    for (const pending of this.#unsent) pending.sentAt = -1;
  }

  /** Sends again what was sent at or before `tick - retryTicks` and, unless `all`, is a configuration change. */
  resendOlderThan(retryTicks: number, tick: number, all: boolean): void {
    const before = tick - retryTicks;
    const stale: Pending<Value>[] = [];
    for (const pending of this.#pending.values()) {
      // Sent in the order of serials, so the first young one ends the search; unsent ones are queued already.
      if (pending.sentAt > before) break;
      if (pending.sentAt < 0 || !(all || pending.type !== "EntryNormal")) continue;
      pending.sentAt = -1;
      stale.push(pending);
    }
    if (stale.length > 0) this.#unsent = [...stale, ...this.#unsent].sort((a, b) => a.serial - b.serial);
  }

  /** A session was opened by the entry at `id`; ours if the nonce is ours. Registering twice is harmless, the first one counts. */
  registered(nodeId: number, nonce: number, id: SessionId): void {
    if (nodeId !== this.#nodeId || nonce !== this.#nonce || this.#session.kind === "open") return;
    this.#session = { kind: "open", id };
  }

  /** An entry of this session was applied for the first time. */
  settle(session: SessionId, serial: number, value: Value): void {
    if (!this.#isOurs(session)) return;
    const pending = this.#take(serial);
    if (pending === undefined) return;
    pending.resolve(value);
    this.#meter?.proposalCommitted(pending.deadlineMs - pending.timeoutMs);
  }

  /** An entry of this session was applied and refused for good. */
  refuse(session: SessionId, serial: number, error: RaftError): void {
    if (!this.#isOurs(session)) return;
    this.#fail(serial, error);
  }

  /**
   * The session was forgotten by the group. No entry of it is admitted any more, so what waits was not applied and may go out
   * again under a new session, with new serials.
   */
  expired(session: SessionId): void {
    if (!this.#isOurs(session)) return;
    const waiting = [...this.#pending.values()];
    this.#session = { kind: "none" };
    this.#nextSerial = 1;
    this.#floor = 1;
    for (const pending of waiting) {
      pending.serial = this.#nextSerial++;
      pending.sentAt = -1;
      pending.everSent = false;
    }
    this.#pending = new Map(waiting.map((pending) => [pending.serial, pending]));
    this.#unsent = [...waiting];
    this.#settledUnsent = 0;
  }

  /** State was replaced by a snapshot: results of what it covers were never seen here. */
  restored(sessions: Sessions): void {
    if (this.#session.kind !== "open") return;
    const { id } = this.#session;
    const serials = [...this.#pending.keys()];
    for (const serial of serials) {
      if (sessions.lookup(id, serial) === "unseen") continue;
      this.#fail(
        serial,
        new RaftError(
          "PROPOSAL_OUTCOME_UNKNOWN",
          "this node received the state after the proposal as a snapshot, without the proposal's result; read the state to see it",
          { retryable: false },
        ),
      );
    }
    if (sessions.lookup(id, this.#nextSerial) === "expired") this.#session = { kind: "none" };
  }

  /** Fails what is past its deadline. `leader` says whom the caller could blame. */
  expire(nowMs: number, hasLeader: boolean): void {
    // A map may be deleted from while it is walked.
    for (const pending of this.#pending.values()) {
      if (pending.deadlineMs <= nowMs) this.#fail(pending.serial, this.#timeout(pending, hasLeader));
    }
  }

  /** Fails everything, and everything that comes later, for the node is stopping. */
  close(error: RaftError): void {
    this.#closed ??= error;
    for (const serial of [...this.#pending.keys()]) this.#fail(serial, error);
  }

  #fail(serial: number, error: RaftError): void {
    const pending = this.#take(serial);
    if (pending === undefined) return;
    pending.reject(error);
    this.#meter?.proposalFailed(error.code);
  }

  #registration(): OutgoingEntry {
    const context = encodeEntryContext({ kind: "register", nodeId: this.#nodeId, nonce: this.#nonce });
    return { type: "EntryNormal", data: EMPTY_BYTES, context };
  }

  #isOurs(session: SessionId): boolean {
    return this.#session.kind === "open" && this.#session.id === session;
  }

  #take(serial: number): Pending<Value> | undefined {
    const pending = this.#pending.get(serial);
    if (pending === undefined) return undefined;
    this.#pending.delete(serial);
    pending.isSettled = true;
    if (pending.sentAt < 0) this.#settledUnsent++;
    while (this.#floor < this.#nextSerial && !this.#pending.has(this.#floor)) this.#floor++;
    return pending;
  }

  #dropSettled(): void {
    if (this.#settledUnsent === 0) return;
    this.#unsent = this.#unsent.filter((pending) => !pending.isSettled);
    this.#settledUnsent = 0;
  }

  #timeout(pending: Pending<Value>, hasLeader: boolean): RaftError {
    const { timeoutMs, everSent } = pending;
    if (!everSent && hasLeader) {
      return new RaftError(
        "DEADLINE_EXCEEDED",
        `the leader had taken no proposal of this node for ${timeoutMs} ms, so this one was not made; it may be overloaded or handing over`,
        { retryable: true, details: { timeoutMs, mayBeCommitted: false } },
      );
    }
    if (!everSent) {
      return new RaftError(
        "NO_LEADER",
        `no leader was found within ${timeoutMs} ms, so nothing was proposed; check that a majority of the nodes is up and reachable`,
        { retryable: true, details: { timeoutMs } },
      );
    }
    return new RaftError(
      "DEADLINE_EXCEEDED",
      `the proposal was not committed within ${timeoutMs} ms and may still be; check that a majority of the nodes is up and reachable`,
      { retryable: true, details: { timeoutMs, mayBeCommitted: true } },
    );
  }
}
