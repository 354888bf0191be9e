/**
 * This node's proposals that wait for their result.
 *
 * A proposal is `unsent` until Raft takes it, then `sent` until an entry with its (session, serial) is applied here. The proposer does not
 * learn that a message to the leader was lost. Therefore sent proposals are sent again after a change of leader, and after a time without an
 * answer. The session table (apply/sessions.ts) makes the repeats harmless.
 *
 * Invariants:
 * P1. Serials rise by one with each proposal of a session and are never used again.
 * P2. Every serial below `floor` is settled here: its caller got a result or an error.
 * P3. Each proposal is settled exactly once. After the end of the group a proposal is refused at once.
 */
import { RaftError } from "../../errors.ts";
import { EMPTY_BYTES, type EntryType } from "../../types.ts";
import { encodeEntryContext } from "../apply/entry-context.ts";
import type { SessionId, Sessions } from "../apply/sessions.ts";
import type { CallMeter } from "./call-meter.ts";

/** An entry for `RawNode.proposeEntries`. */
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
  /** Whether Raft has taken the proposal at least once. From then on it may be committed. */
  everSent: boolean;
  isSettled: boolean;
}

/** The state of the session: none yet, being opened by an entry with this driver's nonce, or open. */
type SessionState =
  | { readonly kind: "none" }
  | { readonly kind: "opening"; readonly sentAt: number }
  | { readonly kind: "open"; readonly id: SessionId };

/**
 * The waiting proposals of one node in one group. Promises reject with RaftError OVERLOADED, NO_LEADER, DEADLINE_EXCEEDED,
 * PROPOSAL_OUTCOME_UNKNOWN, with the error of {@link Proposals.refuse}, or with that of {@link Proposals.close}.
 */
export class Proposals<Value> {
  readonly #nodeId: number;
  readonly #nonce: number;
  readonly #maxPending: number;
  readonly #meter: CallMeter | undefined;
  #session: SessionState = { kind: "none" };
  /** In order of serials. */
  #pending = new Map<number, Pending<Value>>();
  /** In order of serials. Settled proposals stay until the next call of `batches`, so that settling one takes constant time. */
  #unsent: Pending<Value>[] = [];
  #settledUnsent = 0;
  #closed: RaftError | undefined;
  #nextSerial = 1;
  #floor = 1;

  /** `nonce` distinguishes this driver's registration from those of earlier processes of the node. */
  constructor(nodeId: number, nonce: number, maxPending: number, meter?: CallMeter) {
    this.#nodeId = nodeId;
    this.#nonce = nonce;
    this.#maxPending = maxPending;
    this.#meter = meter;
  }

  /** Number of proposals that wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether a waiting proposal is to be handed to Raft. */
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
          `Node ${this.#nodeId} has ${this.#pending.size} proposals waiting, which is its limit. Try again when some are done, or raise maxPendingProposals.`,
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
   * The entries to propose now, in batches of about `maxBytes`. Before a session is open, that is only the entry that
   * opens one. The entries are not marked as sent: the caller must call {@link sent} for each batch that Raft took.
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

  /** Records that Raft took a batch of `count` entries. */
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

  /** Queues every proposal again, after a change of leader: proposals sent to the old leader may be lost. */
  resendAll(): void {
    if (this.#session.kind === "opening") this.#session = { kind: "none" };
    this.#settledUnsent = 0;
    this.#unsent = [...this.#pending.values()];
    for (const pending of this.#unsent) pending.sentAt = -1;
  }

  /** Queues proposals again that were last sent at or before `tick - retryTicks`; only configuration changes unless `all`. */
  resendOlderThan(retryTicks: number, tick: number, all: boolean): void {
    const before = tick - retryTicks;
    const stale: Pending<Value>[] = [];
    for (const pending of this.#pending.values()) {
      // Proposals are sent in the order of serials, so the first recent one ends the search. Unsent ones are queued already.
      if (pending.sentAt > before) break;
      if (pending.sentAt < 0 || !(all || pending.type !== "EntryNormal")) continue;
      pending.sentAt = -1;
      stale.push(pending);
    }
    if (stale.length > 0) this.#unsent = [...stale, ...this.#unsent].sort((a, b) => a.serial - b.serial);
  }

  /** Records that the entry at `id` opened a session, if node and nonce are this driver's. The first of several registrations counts. */
  registered(nodeId: number, nonce: number, id: SessionId): void {
    if (nodeId !== this.#nodeId || nonce !== this.#nonce || this.#session.kind === "open") return;
    this.#session = { kind: "open", id };
  }

  /** Resolves a proposal of this session that was applied for the first time. Ignores other sessions and settled proposals. */
  settle(session: SessionId, serial: number, value: Value): void {
    if (!this.#isOurs(session)) return;
    const pending = this.#take(serial);
    if (pending === undefined) return;
    pending.resolve(value);
    this.#meter?.proposalCommitted(pending.deadlineMs - pending.timeoutMs);
  }

  /** Rejects a proposal of this session that was turned down when it was applied. */
  refuse(session: SessionId, serial: number, error: RaftError): void {
    if (!this.#isOurs(session)) return;
    this.#fail(serial, error);
  }

  /**
   * Records that the group has forgotten the session. No entry of that session is admitted any more. So the waiting proposals were not applied, and
   * they are proposed again in a new session, with new serials.
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

  /** Rejects the proposals whose results a received snapshot covers, because this node never sees those results. */
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
          "This node received the state after the proposal as a snapshot, without the proposal's result. Read the state to see whether the proposal was applied.",
          { retryable: false },
        ),
      );
    }
    if (sessions.lookup(id, this.#nextSerial) === "expired") this.#session = { kind: "none" };
  }

  /** Rejects proposals past their deadline. `hasLeader` decides which cause the error names. */
  expire(nowMs: number, hasLeader: boolean): void {
    // Deleting from a map while iterating over it is allowed.
    for (const pending of this.#pending.values()) {
      if (pending.deadlineMs <= nowMs) this.#fail(pending.serial, this.#timeout(pending, hasLeader));
    }
  }

  /** Rejects all waiting and all later proposals with `error`, because the node is stopping. */
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
        `The leader took no proposal of this node within ${timeoutMs} ms, so this one was not made. Try again: the leader may be overloaded or handing over.`,
        { retryable: true, details: { timeoutMs, mayBeCommitted: false } },
      );
    }
    if (!everSent) {
      return new RaftError(
        "NO_LEADER",
        `No leader was found within ${timeoutMs} ms, so nothing was proposed. Check that a majority of the nodes is up and reachable.`,
        { retryable: true, details: { timeoutMs } },
      );
    }
    return new RaftError(
      "DEADLINE_EXCEEDED",
      `The proposal was not committed within ${timeoutMs} ms, but may still be committed. Check that a majority of the nodes is up and reachable.`,
      { retryable: true, details: { timeoutMs, mayBeCommitted: true } },
    );
  }
}
