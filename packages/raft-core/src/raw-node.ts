/**
 * The face of consensus: inputs as methods, outputs as {@link Ready}. Synchronous, deterministic, without I/O.
 *
 * The caller's duties: tick at a steady pace; deliver every message for this node to `step`; take a Ready whenever there is
 * one and carry it out as ready.ts says; call `applyConfChange` for every configuration change among the committed
 * entries. One Ready at a time in synchronous mode: `advance` must come before the next `ready`.
 */
import { type Config, resolveConfig } from "./config.ts";
import { encodeConfChange, encodeConfChangeV2 } from "./eraftpb/conf-change.ts";
import { invariant } from "./errors.ts";
import { entriesSize } from "./log/entry-size.ts";
import { type Message, message } from "./message.ts";
import { refusalOf } from "./raft/admission.ts";
import { answeredNothingNew, heardNothingNew } from "./raft/nothing-new.ts";
import type { ProposeOutcome, StepOutcome } from "./raft/outcome.ts";
import { Raft } from "./raft/raft.ts";
import { applyConfChange } from "./raft/reconfigure.ts";
import { needsThoseRemoved } from "./raft/removal.ts";
import { type Ready, storageAppend, storageAppendResponse, storageApply, storageApplyResponse } from "./ready.ts";
import { type BasicStatus, basicStatusOf, type Status, statusOf } from "./status.ts";
import type {
  ConfChange,
  ConfChangeV2,
  ConfState,
  Entry,
  HardState,
  LogIndex,
  NodeId,
  RaftRole,
  Term,
} from "./types.ts";

/** One entry to propose. The bytes belong to the log from now on. */
export interface Proposal {
  /** EntryNormal unless given; a configuration change comes encoded. */
  readonly type?: Entry["type"];
  readonly data: Uint8Array;
  /** Comes back with the committed entry; opaque to consensus. */
  readonly context?: Uint8Array;
}

export class RawNode {
  /**
   * The state of consensus itself.
   * @internal For tests and tools of this package; changing it breaks every promise.
   */
  readonly raft: Raft;
  readonly #isAsync: boolean;

  // What the last Ready said, to tell what has changed since.
  #sentLead: NodeId;
  #sentRole: RaftRole;
  #sentHardState: HardState;
  /** Synchronous mode: what the caller's work, once done, means to this node. */
  readonly #stepsOnAdvance: Message[] = [];

  /** Starts from what `config.storage` holds. Throws RaftError CONFIG_INVALID. */
  constructor(config: Config) {
    const resolved = resolveConfig(config);
    this.raft = new Raft(resolved);
    this.#isAsync = resolved.asyncStorageWrites;
    this.#sentLead = this.raft.lead;
    this.#sentRole = this.raft.role;
    // A term that the log raised above the stored one is written with the first Ready.
    const { term, vote } = resolved.storage.initialState().hardState;
    this.#sentHardState = { term, vote, commit: this.raft.log.committed };
  }

  /**
   * Lets one tick of time pass. `missedTicks` are those that should have come before it and did not, because the process stood still:
   * they bring a leader's next heartbeat on and count for nothing else. False if the tick left nothing to do that was not there before.
   */
  tick(missedTicks = 0): boolean {
    return this.raft.tick(missedTicks);
  }

  /** Stands for election now, if it may. */
  campaign(): void {
    this.raft.step(message({ type: "MsgHup" }));
  }

  /** Proposes one command, on any node that knows a leader. Accepted is not committed: leadership may be lost before. */
  propose(data: Uint8Array, context?: Uint8Array): ProposeOutcome {
    return this.proposeEntries([context === undefined ? { data } : { data, context }]);
  }

  /** Proposes several commands as one append: all or none are taken, and they follow each other in the log. */
  proposeEntries(proposals: readonly Proposal[]): ProposeOutcome {
    const entries = proposals.map((one) => newEntry(one.type ?? "EntryNormal", one.data, one.context));
    return this.raft.step(message({ type: "MsgProp", from: this.raft.id, entries }));
  }

  /**
   * Proposes a change of the configuration. A change that the leader turns down (another one is under way, or it does not
   * fit the configuration) shows as a committed EntryNormal with this `context` and no data.
   */
  proposeConfChange(change: ConfChange | ConfChangeV2, context?: Uint8Array): ProposeOutcome {
    const entry =
      "changes" in change
        ? newEntry("EntryConfChangeV2", encodeConfChangeV2(change), context)
        : newEntry("EntryConfChange", encodeConfChange(change), context);
    return this.raft.step(message({ type: "MsgProp", from: this.raft.id, entries: [entry] }));
  }

  /**
   * Puts a committed change in force and returns the configuration that follows. To be called while applying the entry, on
   * every node alike; a change that the application turns down is applied with node id 0, which changes nothing.
   */
  applyConfChange(change: ConfChange | ConfChangeV2): ConfState {
    return applyConfChange(this.raft, change);
  }

  /** Takes a message that is for this node, from a peer or from one of its storage threads. */
  step(m: Message): StepOutcome {
    const reason = refusalOf(this.raft, m);
    if (reason !== undefined) return { ok: false, reason, leaderHint: this.raft.lead };
    return this.raft.step(m);
  }

  /**
   * What `step` does with a MsgHeartbeat that says nothing new to a follower, without its answer, which is the caller's to give.
   * False, and nothing done, where there is more to it: step the message.
   */
  heardNothingNew(leader: NodeId, term: Term, commit: LogIndex): boolean {
    return heardNothingNew(this.raft, leader, term, commit);
  }

  /**
   * What `step` does with a MsgHeartbeatResp that tells a leader nothing but that the member is there. False, and nothing done,
   * where there is more to it: step the message.
   */
  answeredNothingNew(member: NodeId, term: Term): boolean {
    return answeredNothingNew(this.raft, member, term);
  }

  /**
   * Asks for a linearizable read: a ReadState with `context` follows in a later Ready, unless messages get lost or leadership
   * changes; ask again then. Contexts of reads that are under way should differ.
   */
  readIndex(context: Uint8Array): void {
    this.raft.step(message({ type: "MsgReadIndex", entries: [newEntry("EntryNormal", context, undefined)] }));
  }

  /** Asks the leader to hand over to `to`; on any node. Best effort: watch `softState`. */
  transferLeader(to: NodeId): void {
    this.raft.step(message({ type: "MsgTransferLeader", from: to }));
  }

  /** Makes a follower forget its leader, so that it may vote at once. Ignored where reads rely on the leader's lease. */
  forgetLeader(): void {
    this.raft.step(message({ type: "MsgForgetLeader" }));
  }

  /** The last message to `id` was not delivered. */
  reportUnreachable(id: NodeId): void {
    this.raft.step(message({ type: "MsgUnreachable", from: id }));
  }

  /** The outcome of sending a snapshot. Without this report its receiver gets nothing else. */
  reportSnapshot(id: NodeId, result: "finish" | "failure"): void {
    this.raft.step(message({ type: "MsgSnapStatus", from: id, reject: result === "failure" }));
  }

  /** Whether {@link ready} would have anything in it. */
  hasReady(): boolean {
    const { raft } = this;
    const { log } = raft;
    return (
      raft.messages.length > 0 ||
      raft.messagesAfterAppend.length > 0 ||
      log.unstable.hasNextEntries() ||
      log.hasNextCommittedEntries(!this.#isAsync) ||
      raft.readStates.length > 0 ||
      this.#hasNewSoftState() ||
      this.#hasNewHardState() ||
      log.unstable.nextSnapshot() !== undefined
    );
  }

  /** Takes everything that is to be done. It will not be handed out again. */
  ready(): Ready {
    invariant(this.#stepsOnAdvance.length === 0, "ready() again before advance()");
    const { raft } = this;
    const { log } = raft;
    const entries = log.unstable.nextEntries();
    const hardState = this.#hasNewHardState() ? this.#hardState() : undefined;
    const work = {
      softState: this.#hasNewSoftState() ? { lead: raft.lead, role: raft.role } : undefined,
      hardState,
      readStates: raft.readStates,
      entries,
      snapshot: log.unstable.nextSnapshot(),
      committedEntries: log.nextCommittedEntries(!this.#isAsync),
      mustSync: entries.length > 0 || raft.term !== this.#sentHardState.term || raft.vote !== this.#sentHardState.vote,
    };
    const messages = raft.messages;
    if (this.#isAsync) {
      const append = storageAppend(raft, work);
      if (append !== undefined) messages.push(append);
      const apply = storageApply(raft, work.committedEntries);
      if (apply !== undefined) messages.push(apply);
    } else {
      for (const m of raft.messagesAfterAppend) {
        if (m.to === raft.id) this.#stepsOnAdvance.push(m);
        else messages.push(m);
      }
      const stable = storageAppendResponse(raft, work.snapshot);
      if (stable !== undefined) this.#stepsOnAdvance.push(stable);
      if (work.committedEntries.length > 0)
        this.#stepsOnAdvance.push(storageApplyResponse(raft, work.committedEntries));
    }
    this.#accept(work);
    return {
      softState: work.softState,
      hardState: work.hardState,
      readStates: work.readStates,
      entries: work.entries,
      snapshot: work.snapshot,
      committedEntries: work.committedEntries,
      messages,
      mustSync: work.mustSync,
    };
  }

  /** Synchronous mode: the last Ready has been carried out. */
  advance(): void {
    invariant(!this.#isAsync, "advance() is for synchronous mode; step the responses of the storage messages instead");
    const steps = this.#stepsOnAdvance.splice(0);
    for (const m of steps) this.raft.step(m);
  }

  /**
   * With `stepDownOnRemoval`, on a node that led when it applied a change which took votes away: whether the group may still need those who lost
   * them, this node among them. A node that was removed must not be stopped for good while this holds, unless another member
   * says that it does not need it (raft/removal.ts RV1, RV3).
   */
  needsThoseRemoved(): boolean {
    return needsThoseRemoved(this.raft);
  }

  basicStatus(): BasicStatus {
    return basicStatusOf(this.raft);
  }

  status(): Status {
    return statusOf(this.raft);
  }

  #accept(work: Omit<Ready, "messages">): void {
    const { raft } = this;
    this.#sentLead = raft.lead;
    this.#sentRole = raft.role;
    if (work.hardState !== undefined) this.#sentHardState = work.hardState;
    if (raft.readStates.length > 0) raft.readStates = [];
    raft.messages = [];
    raft.messagesAfterAppend = [];
    raft.log.unstable.acceptInProgress();
    const last = work.committedEntries[work.committedEntries.length - 1];
    if (last !== undefined) raft.log.acceptApplying(last.index, entriesSize(work.committedEntries), !this.#isAsync);
  }

  #hardState(): HardState {
    return { term: this.raft.term, vote: this.raft.vote, commit: this.raft.log.committed };
  }

  #hasNewHardState(): boolean {
    const { raft } = this;
    const sentHardState = this.#sentHardState;
    return (
      raft.log.committed !== sentHardState.commit ||
      raft.term !== sentHardState.term ||
      raft.vote !== sentHardState.vote
    );
  }

  #hasNewSoftState(): boolean {
    return this.raft.lead !== this.#sentLead || this.raft.role !== this.#sentRole;
  }
}

function newEntry(type: Entry["type"], data: Uint8Array, context: Uint8Array | undefined): Entry {
  return context === undefined ? { term: 0, index: 0, type, data } : { term: 0, index: 0, type, data, context };
}
