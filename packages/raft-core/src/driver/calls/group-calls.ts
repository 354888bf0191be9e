/**
 * The calls of one node that wait for its group: proposals, reads and conditions, from the call to its answer.
 *
 * Role: hands proposals and reads to the core, hands them over again when they may be lost, and settles the calls when they are applied or
 * confirmed, or past their deadline. Proposals and reads keep their own invariants (`proposals.ts` P1-P3, `reads.ts` R1-R2).
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

/** A proposal or read is handed over again so many election timeouts after it was sent. */
const RETRY_ELECTIONS = 2;

/** The parts of the group that its calls use. */
export interface GroupCallsHost {
  /** Throws NODE_STOPPED or NODE_FAILED unless the group runs. */
  readonly lifecycle: { assertRunning(): void };
  readonly leadership: { readonly leader: NodeId; readonly isLocal: boolean };
  /** Runs a turn at the end of this turn of the event loop. */
  schedule(): void;
}

type Options = Pick<ResolvedOptions<never, never>, "nodeId" | "limits" | "timing" | "clock" | "rng" | "calls">;

/** The calls of one group on one node. `Result` is the executor's type of results; a configuration change has no result. */
export class GroupCalls<Result> {
  readonly #options: Options;
  readonly #host: GroupCallsHost;
  readonly #proposals: Proposals<Result | undefined>;
  readonly #reads: Reads;
  readonly #conditions: Conditions;
  readonly #retryTicks: number;
  #tick = 0;
  /** False only while no call waits. A call that begins to wait schedules a turn, which sets it. */
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

  /** Number of proposals that wait. */
  get pendingProposals(): number {
    return this.#proposals.size;
  }

  /** Number of reads that wait. */
  get pendingReads(): number {
    return this.#reads.size;
  }

  /**
   * Proposes the bytes of a command and resolves with its result once it is applied here. Throws PAYLOAD_TOO_LARGE, CONFIG_INVALID, NODE_STOPPED or
   * NODE_FAILED; rejects as {@link Proposals} does.
   */
  propose(data: Uint8Array, timeoutMs: number): Promise<Result | undefined> {
    this.#host.lifecycle.assertRunning();
    checkCommand(data, this.#options.limits.maxCommandBytes);
    return this.#add("EntryNormal", data, timeoutMs);
  }

  /** Proposes an encoded ConfChangeV2. Resolves when it is applied here. */
  proposeChange(data: Uint8Array, timeoutMs: number): Promise<unknown> {
    return this.#add("EntryConfChangeV2", data, timeoutMs);
  }

  /** Resolves with the applied index once this node has applied everything that was acknowledged anywhere before the call. */
  async readIndex(timeoutMs: number): Promise<LogIndex> {
    this.#host.lifecycle.assertRunning();
    const index = this.#reads.request(this.#options.clock.monotonicMs(), timeoutMs);
    this.#host.schedule();
    return await index;
  }

  /** Resolves at once or when `isMet` returns true. Rejects with `timeout()` after `deadlineMs`, and when the group ends. */
  until(isMet: () => boolean, deadlineMs: number, timeout: () => RaftError): Promise<void> {
    return this.#conditions.until(isMet, deadlineMs, timeout);
  }

  // Reports of the loop.

  /** Called when a turn begins. Hands waiting proposals and reads to the core. */
  flush(raw: Pick<RawNode, "proposeEntries" | "readIndex">): void {
    this.#mayWait = true;
    if (this.#host.leadership.leader === NONE) return;
    if (this.#proposals.hasUnsent) this.#flushProposals(raw);
    if (this.#reads.canBegin) raw.readIndex(this.#reads.begin(this.#tick));
  }

  /** Whether another round of reads could begin: reads wait, and a confirmed round has made room. */
  get hasMore(): boolean {
    return this.#reads.canBegin && this.#host.leadership.leader !== NONE;
  }

  /** Called when a turn ends. Settles the conditions that are met or too late. */
  checkConditions(): void {
    this.#conditions.check(this.#options.clock.monotonicMs());
  }

  /** Called on each tick. Queues calls again that may be lost, and rejects those past their deadline. Returns whether any call may wait. */
  tick(): boolean {
    this.#tick++;
    if (this.#mayWait) this.#mayWait = this.#upkeep();
    return this.#mayWait;
  }

  /** Called when a leader becomes known. Calls that were sent to the previous leader may be lost and are sent again. */
  leaderKnown(): void {
    this.#proposals.resendAll();
    this.#reads.restart();
  }

  /** Called when the core has confirmed a round of reads at `index`. */
  confirm(context: Uint8Array, index: LogIndex, applied: LogIndex): void {
    this.#reads.confirm(context, index, applied);
  }

  /** Called when all entries up to `applied` are applied here. */
  applied(applied: LogIndex): void {
    this.#reads.applied(applied);
  }

  /** Called when the state was replaced by a snapshot with these sessions. */
  restored(sessions: Sessions, applied: LogIndex): void {
    this.#proposals.restored(sessions);
    this.#reads.applied(applied);
  }

  /** Called when a proposal was applied for the first time. */
  settled({ session, serial }: ProposalId, result: Result | undefined): void {
    this.#proposals.settle(session, serial, result);
  }

  /** Called when a proposal was turned down, on every node alike. */
  refused({ session, serial }: ProposalId, error: RaftError): void {
    this.#proposals.refuse(session, serial, error);
  }

  /** Called when an entry was skipped because the group has forgotten its session. */
  expired({ session }: ProposalId): void {
    this.#proposals.expired(session);
  }

  /** Called when a session was opened. */
  registered(nodeId: NodeId, nonce: number, session: SessionId): void {
    this.#proposals.registered(nodeId, nonce, session);
    this.#host.schedule();
  }

  /** Called when the group ends. Every waiting and every later call rejects with `error`. */
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
