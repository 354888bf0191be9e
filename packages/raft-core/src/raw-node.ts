/**
 * The interface of the core: inputs are methods, outputs are {@link Ready}. Synchronous, deterministic, without I/O.
 *
 * The caller's duties: tick at a steady pace; deliver every message for this node to `step`; take a Ready whenever there is
 * one and carry it out as ready.ts says; call `applyConfChange` for every configuration change among the committed
 * entries. Synchronous mode has one Ready at a time: `advance` must come before the next `ready`.
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

/** One entry to propose. The log keeps the byte arrays: the caller must not change them afterwards. */
export interface Proposal {
  /** Type of the entry ("EntryNormal"). The `data` of a configuration change is the encoded change. */
  readonly type?: Entry["type"];
  /** The command, or the encoded configuration change. */
  readonly data: Uint8Array;
  /** Bytes that come back with the committed entry. Opaque to consensus. */
  readonly context?: Uint8Array;
}

/**
 * One node of one Raft group without a driver (Raft paper; semantics of etcd/raft 3.7, differences in DESIGN.md). The caller writes, sends and
 * applies what each {@link Ready} holds. Any method may throw {@link InvariantViolation}; the caller must then stop the node.
 */
export class RawNode {
  /**
   * The state of consensus itself.
   * @internal For tests and tools of this package; changing it breaks every promise.
   */
  readonly raft: Raft;
  readonly #isAsync: boolean;

  // The state that the last Ready reported. The next Ready reports the differences.
  #sentLead: NodeId;
  #sentRole: RaftRole;
  #sentHardState: HardState;
  /** Synchronous mode: messages that `advance` steps into this node, once the caller has carried out the Ready. */
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
   * Lets one tick of time pass. `missedTicks` are ticks that should have come before and did not, because the process stood still. They bring a
   * leader's next heartbeat forward and count for nothing else. Returns false if the tick made no new work.
   */
  tick(missedTicks = 0): boolean {
    return this.raft.tick(missedTicks);
  }

  /** Stands for election now, if this node may. */
  campaign(): void {
    this.raft.step(message({ type: "MsgHup" }));
  }

  /** Proposes one command, on any node that knows a leader. An accepted proposal is not committed yet and may be lost with the leader. */
  propose(data: Uint8Array, context?: Uint8Array): ProposeOutcome {
    return this.proposeEntries([context === undefined ? { data } : { data, context }]);
  }

  /** Proposes several entries as one append: all or none are taken, and they follow each other in the log. */
  proposeEntries(proposals: readonly Proposal[]): ProposeOutcome {
    const entries = proposals.map((one) => newEntry(one.type ?? "EntryNormal", one.data, one.context));
    return this.raft.step(message({ type: "MsgProp", from: this.raft.id, entries }));
  }

  /**
   * Proposes a change of the configuration. The leader turns a change down while another one is under way, or when the change does not fit the
   * configuration. A change that was turned down appears as a committed EntryNormal with this `context` and no data.
   */
  proposeConfChange(change: ConfChange | ConfChangeV2, context?: Uint8Array): ProposeOutcome {
    const entry =
      "changes" in change
        ? newEntry("EntryConfChangeV2", encodeConfChangeV2(change), context)
        : newEntry("EntryConfChange", encodeConfChange(change), context);
    return this.raft.step(message({ type: "MsgProp", from: this.raft.id, entries: [entry] }));
  }

  /**
   * Puts a committed change in force and returns the new configuration. Every node must call it while it applies the entry, with the same change. To
   * turn a change down, the application applies it with node id 0, which changes nothing.
   */
  applyConfChange(change: ConfChange | ConfChangeV2): ConfState {
    return applyConfChange(this.raft, change);
  }

  /** Takes a message for this node, from a peer or from one of its storage threads. A refused message has changed nothing. */
  step(m: Message): StepOutcome {
    const reason = refusalOf(this.raft, m);
    if (reason !== undefined) return { ok: false, reason, leaderHint: this.raft.lead };
    return this.raft.step(m);
  }

  /**
   * Does what `step` does with a MsgHeartbeat that tells a follower nothing new, but without the answer. The caller must answer the leader.
   * Returns false and does nothing when the heartbeat tells something new: the caller must step the message instead (raft/nothing-new.ts).
   */
  heardNothingNew(leader: NodeId, term: Term, commit: LogIndex): boolean {
    return heardNothingNew(this.raft, leader, term, commit);
  }

  /**
   * Does what `step` does with a MsgHeartbeatResp that tells a leader only that the member is alive. Returns false and does nothing when the answer
   * tells more: the caller must step the message instead (raft/nothing-new.ts).
   */
  answeredNothingNew(member: NodeId, term: Term): boolean {
    return answeredNothingNew(this.raft, member, term);
  }

  /**
   * Asks for a linearizable read (thesis §6.4). A ReadState with `context` follows in a later Ready. No ReadState follows when messages get lost or
   * leadership changes; the caller must then ask again. Reads that are under way should have different contexts.
   */
  readIndex(context: Uint8Array): void {
    this.raft.step(message({ type: "MsgReadIndex", entries: [newEntry("EntryNormal", context, undefined)] }));
  }

  /** Asks the leader to hand the leadership to `to` (thesis §3.10). Works on any node. May fail without notice: watch `softState`. */
  transferLeader(to: NodeId): void {
    this.raft.step(message({ type: "MsgTransferLeader", from: to }));
  }

  /** Makes a follower forget its leader, so that it may vote at once. Ignored with `readOnly: "lease-based"`. */
  forgetLeader(): void {
    this.raft.step(message({ type: "MsgForgetLeader" }));
  }

  /** Reports that the last message to `id` was not delivered. */
  reportUnreachable(id: NodeId): void {
    this.raft.step(message({ type: "MsgUnreachable", from: id }));
  }

  /** Reports whether a snapshot was delivered to `id`. Until this report the leader sends that member nothing else. */
  reportSnapshot(id: NodeId, result: "finish" | "failure"): void {
    this.raft.step(message({ type: "MsgSnapStatus", from: id, reject: result === "failure" }));
  }

  /** Whether {@link ready} would return work. */
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

  /** Takes everything that is to be done. The same work is not handed out again. */
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

  /** Synchronous mode: reports that the last Ready has been carried out. */
  advance(): void {
    invariant(!this.#isAsync, "advance() is for synchronous mode; step the responses of the storage messages instead");
    const steps = this.#stepsOnAdvance.splice(0);
    for (const m of steps) this.raft.step(m);
  }

  /**
   * Whether the group may still need the nodes that lost their votes by a change, as far as this node can tell. This node may be one of them.
   * Only a node with `stepDownOnRemoval` that led when it applied the change can return true. A removed node must not be
   * stopped for good while this holds, unless another member says that the group does not need it (raft/removal.ts RV1, RV3).
   */
  needsThoseRemoved(): boolean {
    return needsThoseRemoved(this.raft);
  }

  /** Id, term, vote, leader and role at this moment. Cheap. */
  basicStatus(): BasicStatus {
    return basicStatusOf(this.raft);
  }

  /** The status with configuration and progress of the members. Copies the progress. */
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
