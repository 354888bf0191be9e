/**
 * What a leader knows about one member's log, and how it may therefore send to it.
 *
 * Role: flow control for one follower or learner (Raft paper figure 2: matchIndex and nextIndex; the states are etcd's). It
 * sends nothing; the leader asks, sends, and reports what it sent.
 *
 *     StateProbe      The end of the follower's log is not known. One append at a time, then wait for an answer or for a
 *                     heartbeat's answer. A refusal lowers `next`; an acknowledgement leads to StateReplicate.
 *     StateReplicate  The logs meet. Appends are pipelined: `next` moves when they are sent, `match` when they are
 *                     acknowledged, and Inflights bounds what lies between. A refusal or a loss leads back to StateProbe.
 *     StateSnapshot   What the follower needs is compacted away. Nothing is sent until the snapshot has been installed or
 *                     has failed; then StateReplicate or StateProbe.
 *
 * Invariants:
 * P1. `0 <= match < next`.
 * P2. `match` never decreases while this node leads.
 * P3. Inflights holds messages in StateReplicate only.
 * P4. In StateSnapshot `next = pendingSnapshot + 1` and nothing is sent.
 * P5. A refusal that leads to another append lowers `next`, so that refusals and appends without a tick in between come to an end.
 */
import { invariant } from "../errors.ts";
import type { LogIndex } from "../types.ts";
import type { Inflights } from "./inflights.ts";

export type ProgressState = "StateProbe" | "StateReplicate" | "StateSnapshot";

export interface ProgressFields {
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly inflights: Inflights;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
}

export class Progress {
  /** The follower's log is known to equal the leader's up to here. */
  match: LogIndex;
  /** The next entry to send; those in `(match, next)` are on their way in StateReplicate. */
  next: LogIndex;
  /** Changed through the `become...` methods only. */
  state: ProgressState = "StateProbe";
  /** StateSnapshot only, otherwise 0: index of the snapshot that is on its way. */
  pendingSnapshot: LogIndex = 0;
  /** Something was heard from this member since the last check of the quorum. Always true for the leader itself. */
  recentActive: boolean;
  /**
   * No append until the member is heard from: a probe is on its way (StateProbe), or the window became full
   * (StateReplicate). A heartbeat's answer lifts it for one message, so that lost messages cannot stop the flow for good.
   */
  msgAppFlowPaused = false;
  isLearner: boolean;
  readonly inflights: Inflights;
  /** The highest commit index sent; what was sent may have been lost. */
  #sentCommit: LogIndex = 0;

  constructor(fields: ProgressFields) {
    invariant(fields.match >= 0 && fields.match < fields.next, "a progress must have match < next (P1)");
    this.match = fields.match;
    this.next = fields.next;
    this.inflights = fields.inflights;
    this.isLearner = fields.isLearner;
    this.recentActive = fields.recentActive;
  }

  /** The highest commit index that was sent and, as far as is known, not lost. */
  get sentCommitIndex(): LogIndex {
    return this.#sentCommit;
  }

  /** Sends one append at a time from `match + 1`, or from behind a snapshot that was sent. */
  becomeProbe(): void {
    // The snapshot is believed to have arrived; when it has not, the probe is refused and `next` lowered.
    const afterSnapshot = this.state === "StateSnapshot" ? this.pendingSnapshot + 1 : 0;
    this.#enter("StateProbe");
    this.next = Math.max(this.match + 1, afterSnapshot);
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
  }

  /** Pipelines appends from `match + 1`. */
  becomeReplicate(): void {
    this.#enter("StateReplicate");
    this.next = this.match + 1;
  }

  /** Waits for a snapshot at `index` to be installed. */
  becomeSnapshot(index: LogIndex): void {
    this.#enter("StateSnapshot");
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.#sentCommit = index;
  }

  /** The leader sent an append with `count` entries of `bytes` bytes together, beginning at `next`. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === "StateReplicate") {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, bytes);
      }
      this.msgAppFlowPaused = this.inflights.full();
      return;
    }
    invariant(this.state === "StateProbe", "an append was sent to a member that waits for a snapshot (P4)");
    // An empty append in StateProbe only tells the commit index; the next one may carry the entries that probe.
    if (count > 0) this.msgAppFlowPaused = true;
  }

  /** Whether sending the commit index `commit` could move the follower's, given what was already sent. */
  canBumpCommit(commit: LogIndex): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.next - 1;
  }

  /** The leader sent `commit` along. */
  sentCommit(commit: LogIndex): void {
    this.#sentCommit = commit;
  }

  /** The follower acknowledged everything up to `index`. False for news that is old. */
  maybeUpdate(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.msgAppFlowPaused = false;
    return true;
  }

  /**
   * The follower refused an append that followed `rejected`; the logs may meet at `matchHint` or before. Lowers `next` and
   * lets the next append go, or returns false when the refusal is out of date: messages may be late or repeated.
   *
   * Where it returns true in StateProbe, `next` is lower than before (P5). A refusal at or below `match` is false in every state: the follower
   * had acknowledged that entry. A follower that lost its log refuses so each time; an answer to it would be refused again.
   */
  maybeDecrTo(rejected: LogIndex, matchHint: LogIndex): boolean {
    // Nothing is sent in StateSnapshot, so that the refusal is of what was sent before (P4).
    if (rejected <= this.match || this.state === "StateSnapshot") return false;
    if (this.state === "StateReplicate") {
      this.next = this.match + 1;
      this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
      return true;
    }
    // Probes go out one at a time, so only the answer to the last one can be news.
    if (this.next - 1 !== rejected) return false;
    this.next = Math.max(Math.min(rejected, matchHint + 1), this.match + 1);
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
    this.msgAppFlowPaused = false;
    return true;
  }

  /** Whether no append may be sent now. */
  isPaused(): boolean {
    return this.state === "StateSnapshot" || this.msgAppFlowPaused;
  }

  /** A copy that shares nothing with this one. */
  clone(): Progress {
    const copy = new Progress({
      match: this.match,
      next: this.next,
      inflights: this.inflights.clone(),
      isLearner: this.isLearner,
      recentActive: this.recentActive,
    });
    copy.state = this.state;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.msgAppFlowPaused = this.msgAppFlowPaused;
    copy.#sentCommit = this.#sentCommit;
    return copy;
  }

  /** `StateReplicate match=14 next=17 paused inflight=2[full]`, as the conformance scripts print it. */
  toString(): string {
    let text = `${this.state} match=${this.match} next=${this.next}`;
    if (this.isLearner) text += " learner";
    if (this.isPaused()) text += " paused";
    if (this.pendingSnapshot > 0) text += ` pendingSnap=${this.pendingSnapshot}`;
    if (!this.recentActive) text += " inactive";
    if (this.inflights.count > 0) text += ` inflight=${this.inflights.count}${this.inflights.full() ? "[full]" : ""}`;
    return text;
  }

  #enter(state: ProgressState): void {
    this.msgAppFlowPaused = false;
    this.pendingSnapshot = 0;
    this.state = state;
    this.inflights.reset();
  }
}
