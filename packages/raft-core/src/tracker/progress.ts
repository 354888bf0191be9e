/**
 * What a leader knows about one member's log, and which messages it may send to that member.
 *
 * Role: flow control for one follower or learner (Raft paper, figure 2: matchIndex and nextIndex; the states are etcd's). It
 * sends nothing. The leader asks it, sends, and reports what was sent.
 *
 *     StateProbe      The leader does not know up to where the logs agree. It sends one append, then waits for the answer or for a
 *                     heartbeat's answer. A refusal lowers `next`; an acknowledgement leads to StateReplicate.
 *     StateReplicate  The logs agree up to `match`. Appends are pipelined: `next` moves when they are sent, `match` when they are
 *                     acknowledged, and Inflights bounds the entries between. A refusal or a loss leads back to StateProbe.
 *     StateSnapshot   The entries that the follower needs are compacted. The leader sends nothing until the snapshot has been installed or
 *                     has failed; then StateReplicate or StateProbe follows.
 *
 * Invariants:
 * P1. `0 <= match < next`.
 * P2. `match` never decreases while this node leads.
 * P3. Inflights holds messages only in StateReplicate.
 * P4. In StateSnapshot `next = pendingSnapshot + 1` and nothing is sent.
 * P5. A refusal that leads to another append lowers `next`, so that a sequence of refusals and appends without a tick in between ends.
 */
import { invariant } from "../errors.ts";
import type { LogIndex } from "../types.ts";
import type { Inflights } from "./inflights.ts";

/** How the leader sends to a member; explained at the top of this file. */
export type ProgressState = "StateProbe" | "StateReplicate" | "StateSnapshot";

/** The values that a Progress starts with. `match` must be below `next` (P1). */
export interface ProgressFields {
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly inflights: Inflights;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
}

/** The leader's view of one member (Raft paper, figure 2; etcd/raft's Progress). */
export class Progress {
  /** Highest index up to which the follower's log is known to equal the leader's. */
  match: LogIndex;
  /** Index of the next entry to send. In StateReplicate the entries in `(match, next)` are in flight. */
  next: LogIndex;
  /** The state. Only the `become...` methods change it. */
  state: ProgressState = "StateProbe";
  /** StateSnapshot: index of the snapshot that is being sent. 0 in the other states. */
  pendingSnapshot: LogIndex = 0;
  /** Whether the member was heard from since the last check of the quorum. Always true for the leader itself. */
  recentActive: boolean;
  /**
   * Whether no append may be sent until the member is heard from: a probe is in flight (StateProbe), or the window became full
   * (StateReplicate). A heartbeat's answer lifts the pause for one message, so that lost messages cannot stop replication for ever.
   */
  msgAppFlowPaused = false;
  isLearner: boolean;
  readonly inflights: Inflights;
  /** The highest commit index that was sent. The message may have been lost. */
  #sentCommit: LogIndex = 0;

  constructor(fields: ProgressFields) {
    invariant(fields.match >= 0 && fields.match < fields.next, "a progress must have match < next (P1)");
    this.match = fields.match;
    this.next = fields.next;
    this.inflights = fields.inflights;
    this.isLearner = fields.isLearner;
    this.recentActive = fields.recentActive;
  }

  /** The highest commit index that was sent and is not known to be lost. */
  get sentCommitIndex(): LogIndex {
    return this.#sentCommit;
  }

  /** Enters StateProbe. Probing begins at `match + 1`, or behind a snapshot that was sent. */
  becomeProbe(): void {
    // Assumes that the snapshot has arrived. If it has not, the member refuses the probe, and `next` is lowered.
    const afterSnapshot = this.state === "StateSnapshot" ? this.pendingSnapshot + 1 : 0;
    this.#enter("StateProbe");
    this.next = Math.max(this.match + 1, afterSnapshot);
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
  }

  /** Enters StateReplicate. Appends are pipelined from `match + 1` on. */
  becomeReplicate(): void {
    this.#enter("StateReplicate");
    this.next = this.match + 1;
  }

  /** Enters StateSnapshot and waits until a snapshot at `index` is installed. */
  becomeSnapshot(index: LogIndex): void {
    this.#enter("StateSnapshot");
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.#sentCommit = index;
  }

  /** Records that the leader sent an append with `count` entries, of `bytes` bytes together, beginning at `next`. */
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
    // An empty append in StateProbe only tells the commit index. The next append may carry entries as a probe.
    if (count > 0) this.msgAppFlowPaused = true;
  }

  /** Whether sending the commit index `commit` could move the follower's commit index beyond the ones already sent. */
  canBumpCommit(commit: LogIndex): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.next - 1;
  }

  /** Records that the leader sent the commit index `commit`. */
  sentCommit(commit: LogIndex): void {
    this.#sentCommit = commit;
  }

  /** Records that the follower acknowledged all entries up to `index`. Returns false for a duplicate or late acknowledgement. */
  maybeUpdate(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.msgAppFlowPaused = false;
    return true;
  }

  /**
   * Records that the follower refused an append after the entry `rejected`; the logs may agree up to `matchHint` at most. Lowers `next` and
   * ends the pause. Returns false when the refusal is out of date, because messages may be late or repeated.
   *
   * After true in StateProbe, `next` is lower than before (P5). A refusal at or below `match` returns false in every state, because the follower
   * had acknowledged that entry. A follower that lost its log refuses every append; another append at once would be refused again.
   */
  maybeDecrTo(rejected: LogIndex, matchHint: LogIndex): boolean {
    // Nothing is sent in StateSnapshot, so the refused append was sent before (P4).
    if (rejected <= this.match || this.state === "StateSnapshot") return false;
    if (this.state === "StateReplicate") {
      this.next = this.match + 1;
      this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
      return true;
    }
    // Probes are sent one at a time, so only a refusal of the last one counts.
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
