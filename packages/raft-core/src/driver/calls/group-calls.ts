/**
 * The calls of one node that wait for its group: proposals, reads and conditions, from the call to its answer.
 *
 * Role: gives the core what is to be sent, again where it may be lost, and settles the calls by what is applied, confirmed or too
 * late. Proposals and reads each keep their own invariants (`proposals.ts` P1-P3, `reads.ts` R1-R2).
 */
import type { RaftError } from "../../errors.ts";
import type { RawNode } from "../../raw-node.ts";
import { type EntryType, type LogIndex, NONE, type NodeId } from "../../types.ts";
import type { ProposalId } from "../apply/entry-context.ts";
import type { SessionId, Sessions } from "../apply/sessions.ts";
import type { ResolvedOptions } from "../options.ts";
import { checkCommand } from "./command-check.ts";
import { Conditions } from "./conditions.ts";
import { Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";

/** So many election timeouts after it was sent something may be lost. */
const RETRY_ELECTIONS = 2;

/** What the calls need of their group. */
export interface GroupCallsHost {
  /** Throws NODE_STOPPED or NODE_FAILED unless the group runs. */
  readonly lifecycle: { assertRunning(): void };
  readonly leadership: { readonly leader: NodeId; readonly isLocal: boolean };
  /** Runs a turn at the end of this turn of the event loop. */
  schedule(): void;
}

type Options = Pick<ResolvedOptions<never, never>, "nodeId" | "limits" | "timing" | "clock" | "rng" | "calls">;

/** `Result` is that of the executor; a configuration change has none. */
export class GroupCalls<Result> {
  readonly #options: Options;
  readonly #host: GroupCallsHost;
  readonly #proposals: Proposals<Result | undefined>;
  readonly #reads: Reads;
  readonly #conditions: Conditions;
  readonly #retryTicks: number;
  #tick = 0;
  /** False only while no call waits: whoever begins to wait schedules a turn. */
  #mayWait = false;

  constructor(options: Options, host: GroupCallsHost) {
    const { nodeId, limits, timing, rng, calls } = options;
    this.#options = options;
    this.#host = host;
    this.#retryTicks = timing.electionTicks * RETRY_ELECTIONS;
    const nonce = rng.below(2 ** 32) * 2 ** 20 + rng.below(2 ** 20);
    this.#proposals = new Proposals(nodeId, nonce, limits.maxPendingProposals, calls);
    this.#reads = new Reads(nonce, limits.maxPendingReads, calls);
    this.#conditions = new Conditions(() => host.schedule());
  }

  /** Proposals that wait. */
  get pendingProposals(): number {
    return this.#proposals.size;
  }

  /** Reads that wait. */
  get pendingReads(): number {
    return this.#reads.size;
  }

  /** Proposes the bytes of a command, wherever they come from. Throws PAYLOAD_TOO_LARGE or CONFIG_INVALID. */
  propose(data: Uint8Array, timeoutMs: number): Promise<Result | undefined> {
    this.#host.lifecycle.assertRunning();
    checkCommand(data, this.#options.limits.maxCommandBytes);
    return this.#add("EntryNormal", data, timeoutMs);
  }

  /** Proposes an encoded ConfChangeV2. Resolves when it is applied here. */
  proposeChange(data: Uint8Array, timeoutMs: number): Promise<unknown> {
    return this.#add("EntryConfChangeV2", data, timeoutMs);
  }

  /** Resolves with an applied index that is at or behind everything acknowledged before the call. */
  async readIndex(timeoutMs: number): Promise<LogIndex> {
    this.#host.lifecycle.assertRunning();
    const index = this.#reads.request(this.#options.clock.monotonicMs(), timeoutMs);
    this.#host.schedule();
    return await index;
  }

  /** Resolves at once or when `isMet`; rejects with `timeout()` after `deadlineMs`, or when the group ends. */
  until(isMet: () => boolean, deadlineMs: number, timeout: () => RaftError): Promise<void> {
    return this.#conditions.until(isMet, deadlineMs, timeout);
  }

  // What the loop tells.

  /** A turn begins: gives the core what is to be sent. */
  flush(raw: Pick<RawNode, "proposeEntries" | "readIndex">): void {
    this.#mayWait = true;
    if (this.#host.leadership.leader === NONE) return;
    if (this.#proposals.hasUnsent) this.#flushProposals(raw);
    if (this.#reads.canBegin) raw.readIndex(this.#reads.begin(this.#tick));
  }

  /** Whether the core could be given another round of reads: one that was confirmed made room for those who wait. */
  get hasMore(): boolean {
    return this.#reads.canBegin && this.#host.leadership.leader !== NONE;
  }

  /** A turn ends. */
  checkConditions(): void {
    this.#conditions.check(this.#options.clock.monotonicMs());
  }

  /** A tick has passed: sends again what may be lost, and fails what is past its deadline. Returns whether any call may wait. */
  tick(): boolean {
    this.#tick++;
    if (this.#mayWait) this.#mayWait = this.#upkeep();
    return this.#mayWait;
  }

  /** A leader is known, or another than before: what the last one was sent may be lost. */
  leaderKnown(): void {
    this.#proposals.resendAll();
    this.#reads.restart();
  }

  /** The core has confirmed a round of reads. */
  confirm(context: Uint8Array, index: LogIndex, applied: LogIndex): void {
    this.#reads.confirm(context, index, applied);
  }

  /** Everything up to `applied` is applied here. */
  applied(applied: LogIndex): void {
    this.#reads.applied(applied);
  }

  /** The state was replaced by a snapshot's, which has these sessions. */
  restored(sessions: Sessions, applied: LogIndex): void {
    this.#proposals.restored(sessions);
    this.#reads.applied(applied);
  }

  /** A proposal was applied for the first time. */
  settled({ session, serial }: ProposalId, result: Result | undefined): void {
    this.#proposals.settle(session, serial, result);
  }

  /** A proposal was turned down, on every node alike. */
  refused({ session, serial }: ProposalId, error: RaftError): void {
    this.#proposals.refuse(session, serial, error);
  }

  /** An entry of a forgotten session was passed over. */
  expired({ session }: ProposalId): void {
    this.#proposals.expired(session);
  }

  /** A session was opened. */
  registered(nodeId: NodeId, nonce: number, session: SessionId): void {
    this.#proposals.registered(nodeId, nonce, session);
    this.#host.schedule();
  }

  /** The group ends: every call fails with `error`. */
  close(error: RaftError): void {
    this.#proposals.close(error);
    this.#reads.close(error);
    this.#conditions.close(error);
  }

  #add(type: EntryType, data: Uint8Array, timeoutMs: number): Promise<Result | undefined> {
    const proposed = this.#proposals.add(type, data, this.#options.clock.monotonicMs(), timeoutMs);
    this.#host.schedule();
    return proposed;
  }

  #flushProposals(raw: Pick<RawNode, "proposeEntries">): void {
    const taken: number[] = [];
    for (const batch of this.#proposals.batches(this.#options.limits.maxMessageBytes, this.#tick, this.#retryTicks)) {
      if (!raw.proposeEntries(batch).ok) break;
      taken.push(batch.length);
    }
    for (const count of taken) this.#proposals.sent(count, this.#tick);
  }

  #upkeep(): boolean {
    if (this.#proposals.size + this.#reads.size === 0) return this.#conditions.hasWaiters;
    const { leader, isLocal } = this.#host.leadership;
    const now = this.#options.clock.monotonicMs();
    this.#proposals.resendOlderThan(this.#retryTicks, this.#tick, !isLocal);
    this.#proposals.expire(now, leader !== NONE);
    this.#reads.retryOlderThan(this.#retryTicks, this.#tick);
    this.#reads.expire(now, leader !== NONE);
    return true;
  }
}
