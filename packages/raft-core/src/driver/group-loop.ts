/**
 * The loop of one Raft group on one node: feeds a RawNode and carries out what it asks for.
 *
 * Data goes one way. In: proposals, reads, messages, ticks, and the responses of the append and apply threads are stepped into
 * the core. At the end of the turn of the event loop, what the core has ready goes out: messages to the transport, appends to
 * the storage, committed entries to the executor. So everything that arrives in one turn becomes one append, one durable
 * write and one frame per peer; writes, sends and applying overlap.
 *
 * Invariants:
 * D1. No request for votes, no vote and no acknowledgement leaves before what it claims is durable (kept by the append thread, A1).
 * D2. Nothing is applied that is not committed, and nothing twice (kept by the core and the apply thread, B1).
 * D3. After a failed write or a broken invariant the node sends, writes and applies nothing more.
 */
import { RaftError } from "../errors.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../message.ts";
import type { Cancel } from "../ports/clock.ts";
import type { GroupChannel, GroupDescription, GroupReceiver } from "../ports/peer-transport.ts";
import type { SnapshotStream } from "../ports/snapshot-stream.ts";
import type { RawNode } from "../raw-node.ts";
import { type LogIndex, NONE, type NodeId, type SnapshotMetadata } from "../types.ts";
import { AppendThread } from "./append-thread.ts";
import { ApplyThread } from "./apply/apply-thread.ts";
import type { ReplicatedState } from "./apply/replicated-state.ts";
import { lookAfterCalls } from "./calls/call-upkeep.ts";
import { checkCommand } from "./calls/command-check.ts";
import { Conditions } from "./calls/conditions.ts";
import { Proposals } from "./calls/proposals.ts";
import { Reads } from "./calls/reads.ts";
import { coreOf } from "./core-of.ts";
import { describeGroup } from "./group-description.ts";
import { joinHeartbeats } from "./heartbeats/group-heartbeats.ts";
import type { HeartbeatMembership } from "./heartbeats/node-heartbeats.ts";
import { tickerOf } from "./heartbeats/ticker.ts";
import { ReceivedMessages } from "./inbound/received-messages.ts";
import { ReceivedProposals } from "./inbound/received-proposals.ts";
import { Lifecycle } from "./lifecycle.ts";
import { Leadership } from "./membership/leadership.ts";
import { Membership } from "./membership/membership.ts";
import { Observers } from "./observers.ts";
import type { ResolvedOptions } from "./options.ts";
import { SnapshotExchange } from "./snapshots/snapshot-exchange.ts";
import { isSnapshotOf } from "./snapshots/snapshot-message.ts";
import type { Snapshotter } from "./snapshots/snapshotter.ts";

export class GroupLoop<Command, Result> implements GroupReceiver {
  readonly options: ResolvedOptions<Command, Result>;
  readonly raw: RawNode;
  readonly state: ReplicatedState;
  readonly proposals: Proposals<Result | undefined>;
  readonly reads: Reads;
  readonly conditions = new Conditions(() => this.schedule());
  readonly leadership: Leadership;
  readonly membership: Membership;
  readonly observers: Observers;
  readonly lifecycle: Lifecycle;
  readonly snapshotter: Snapshotter;
  readonly snapshots: SnapshotExchange;
  readonly received: ReceivedMessages;
  readonly #append: AppendThread;
  readonly #apply: ApplyThread<Command, Result>;
  readonly #retryTicks: number;
  #channel: GroupChannel | undefined;
  #heartbeats: HeartbeatMembership | undefined;
  #stopTicking: Cancel | undefined;
  #turnIsDue = false;
  /** False only while no call waits: whoever begins to wait schedules a turn. */
  #mayHaveCalls = false;
  #tick = 0;

  /** `state` is restored already; the storage is not empty, or this node joins. */
  constructor(options: ResolvedOptions<Command, Result>, state: ReplicatedState, snapshotter: Snapshotter) {
    const { nodeId, storage, executor, timing, limits, rng } = options;
    this.options = options;
    this.lifecycle = new Lifecycle(nodeId);
    this.state = state;
    this.snapshotter = snapshotter;
    snapshotter.onTaken = (index) => this.observers.emit({ type: "snapshot-taken", index });
    this.#retryTicks = timing.electionTicks * 2;
    this.observers = new Observers(options.logger);
    this.membership = new Membership(options, state, this.observers, () => this.raw.raft.role === "StateLeader");
    this.leadership = new Leadership(nodeId, timing.nodeLostTicks, executor, this.observers, options.logger);
    const nonce = rng.below(2 ** 32) * 2 ** 20 + rng.below(2 ** 20);
    this.proposals = new Proposals(nodeId, nonce, limits.maxPendingProposals, options.calls);
    this.reads = new Reads(nonce, limits.maxPendingReads, options.calls);
    this.raw = coreOf(options, state.appliedIndex, (...heartbeat) => this.#heartbeats?.carries(...heartbeat) ?? false);
    const proposed = new ReceivedProposals(executor, limits.maxCommandBytes, options.logger);
    this.received = new ReceivedMessages(nodeId, this.raw, proposed);
    const deliver = (responses: readonly Message[]) => this.#deliver(responses);
    const fail = (error: unknown) => this.fail(error);
    this.#append = new AppendThread(storage, storage.initialState().hardState, {
      deliver,
      restore: (metadata) => this.#restore(metadata),
      fail,
    });
    this.#apply = new ApplyThread(executor, state, {
      deliver,
      applyConfChange: (change) => this.raw.applyConfChange(change),
      settled: ({ session, serial }, result) => this.proposals.settle(session, serial, result),
      reconfigured: (id) => {
        if (id !== undefined) this.proposals.settle(id.session, id.serial, undefined);
        this.membership.changed();
      },
      refused: ({ session, serial }, error) => this.proposals.refuse(session, serial, error),
      expired: ({ session }) => this.proposals.expired(session),
      registered: (node, chosen, index) => {
        this.proposals.registered(node, chosen, index);
        this.schedule();
      },
      applied: () => this.#applied(),
      fail,
    });
    this.snapshots = new SnapshotExchange(this, {
      exclusively: (run) => this.#apply.exclusively(run),
      report: (to, outcome) =>
        this.#guard(() => {
          this.raw.reportSnapshot(to, outcome);
          this.schedule();
        }),
    });
  }

  /** Begins to hear and to tick. */
  start(): void {
    const { transport, groupId, clock, timing, nodeId } = this.options;
    this.#channel = transport.open(groupId, this);
    this.membership.learnPeers();
    this.#stopTicking = tickerOf(clock, timing.tickMs).onTick((missedTicks) => this.#onTick(missedTicks));
    this.#heartbeats = joinHeartbeats(this);
    const { voters, votersOutgoing } = this.state.confState;
    // Alone there is nobody to wait for.
    if (voters.length === 1 && votersOutgoing.length === 0 && voters[0] === nodeId) this.raw.campaign();
    this.schedule();
  }

  get members(): readonly NodeId[] {
    return this.state.memberIds;
  }

  /** Runs a turn at the end of this turn of the event loop. */
  schedule(): void {
    if (this.#turnIsDue || !this.lifecycle.isRunning) return;
    this.#turnIsDue = true;
    this.options.clock.soon(() => {
      this.#turnIsDue = false;
      this.#guard(() => this.#turn());
    });
  }

  // What the transport tells (GroupReceiver).

  receive(from: NodeId, messages: readonly Message[]): void {
    this.#guard(() => {
      // Of members alone is kept when they were heard: a sender can call itself anything.
      if (this.membership.includes(from)) this.leadership.heard(from);
      for (const message of messages) this.received.step(message);
      this.schedule();
    });
  }

  async receiveSnapshot(message: Message, content: SnapshotStream): Promise<void> {
    this.lifecycle.assertRunning();
    this.leadership.heard(message.from);
    const store = (counted: SnapshotStream) => this.snapshotter.receive(message, counted);
    const forget = await this.snapshots.receive(message, content, store);
    this.lifecycle.assertRunning();
    this.receive(message.from, [message]);
    // A late or repeated snapshot: the core has answered the leader, and what was stored would lie there for ever.
    if (!isSnapshotOf(message, this.raw.raft.log.unstable.snapshot)) await forget();
  }

  async sendSnapshotFor(message: Message, minIndex: LogIndex): Promise<void> {
    this.lifecycle.assertRunning();
    if (this.#channel !== undefined) await this.snapshots.sendFor(this.#channel, message, minIndex);
  }

  async receiveCommand(bytes: Uint8Array): Promise<void> {
    this.lifecycle.assertRunning();
    this.options.executor.decode(bytes);
    await this.propose(bytes, this.options.limits.defaultTimeoutMs);
  }

  unreachable(peer: NodeId): void {
    this.#guard(() => {
      this.raw.reportUnreachable(peer);
      this.schedule();
    });
  }

  isRemoved(peer: NodeId): boolean {
    // A leader that was removed is heard until it has stepped down.
    return this.membership.hasRemoved(peer) && peer !== this.leadership.leader;
  }

  removed(by: NodeId): void {
    this.membership.removedSays(by);
  }

  describe(): GroupDescription {
    return describeGroup(this);
  }

  /** Gives the core an input of the application's. */
  input(give: (raw: RawNode) => void): void {
    this.lifecycle.assertRunning();
    this.#guard(() => give(this.raw));
    this.schedule();
  }

  /** Proposes the bytes of a command, wherever they come from. Throws PAYLOAD_TOO_LARGE or CONFIG_INVALID. */
  propose(data: Uint8Array, timeoutMs: number): Promise<Result | undefined> {
    this.lifecycle.assertRunning();
    checkCommand(data, this.options.limits.maxCommandBytes);
    const proposed = this.proposals.add("EntryNormal", data, this.options.clock.monotonicMs(), timeoutMs);
    this.schedule();
    return proposed;
  }

  /** Takes a snapshot between two batches. */
  async takeSnapshot(): Promise<SnapshotMetadata> {
    this.lifecycle.assertRunning();
    let taken: Promise<SnapshotMetadata> | undefined;
    const captured = this.#apply.exclusively(async () => {
      // Only the capture must stand between two batches; writing it out goes on beside the applying.
      taken = this.#takeNow();
      taken.catch(() => {});
    });
    await captured.catch(() => this.lifecycle.assertRunning());
    if (taken === undefined) throw this.lifecycle.refusal();
    return await taken;
  }

  /** Stops hearing, ticking and sending, and waits for what is under way. Idempotent. */
  async stop(): Promise<void> {
    if (this.lifecycle.isRunning) {
      this.lifecycle.stop();
      this.#close(this.lifecycle.refusal());
    }
    await this.#append.idle();
    await this.#apply.idle();
    await this.snapshotter.idle();
  }

  /** D3. */
  fail(cause: unknown): void {
    if (!this.lifecycle.isRunning) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.lifecycle.fail(error);
    const { logger, nodeId, groupId } = this.options;
    logger.error({ err: error, nodeId, groupId }, "the node cannot go on safely and has stopped");
    this.#close(this.lifecycle.refusal());
    this.observers.emit({ type: "failed", error });
  }

  #turn(): void {
    this.#mayHaveCalls = true;
    this.#flushProposals();
    if (this.reads.canBegin && this.leadership.leader !== NONE) this.raw.readIndex(this.reads.begin(this.#tick));
    while (this.raw.hasReady()) this.#carryOut();
    this.#observeLeader();
    // A round that was confirmed made room for those who wait.
    if (this.reads.canBegin && this.leadership.leader !== NONE) this.schedule();
    this.conditions.check(this.options.clock.monotonicMs());
  }

  #flushProposals(): void {
    if (this.leadership.leader === NONE || !this.proposals.hasUnsent) return;
    const taken: number[] = [];
    for (const batch of this.proposals.batches(this.options.limits.maxMessageBytes, this.#tick, this.#retryTicks)) {
      if (!this.raw.proposeEntries(batch).ok) break;
      taken.push(batch.length);
    }
    for (const count of taken) this.proposals.sent(count, this.#tick);
  }

  #carryOut(): void {
    const ready = this.raw.ready();
    const { readStates, messages } = ready;
    for (const { index, context } of readStates) this.reads.confirm(context, index, this.state.appliedIndex);
    const toPeers: Message[] = [];
    const local: Message[] = [];
    for (const message of messages) {
      if (message.to === LOCAL_APPEND_THREAD || message.to === LOCAL_APPLY_THREAD) local.push(message);
      else if (message.type === "MsgSnap") this.#channel && this.snapshots.send(this.#channel, message);
      else toPeers.push(message);
    }
    // Peers first: their disks then work while ours does (thesis §10.2.1).
    if (toPeers.length > 0) this.#channel?.send(toPeers);
    for (const message of local) {
      if (message.to === LOCAL_APPEND_THREAD) this.#append.submit(message);
      else this.#apply.submit(message);
    }
  }

  #deliver(responses: readonly Message[]): void {
    this.#guard(() => {
      const toPeers: Message[] = [];
      for (const response of responses) {
        if (response.to === this.options.nodeId) this.raw.step(response);
        else toPeers.push(response);
      }
      if (toPeers.length > 0) this.#channel?.send(toPeers);
      this.schedule();
    });
  }

  async #restore(metadata: SnapshotMetadata): Promise<void> {
    await this.#apply.exclusively(() => this.snapshotter.restore(metadata));
    this.#guard(() => {
      this.proposals.restored(this.state.sessions);
      this.reads.applied(this.state.appliedIndex);
      this.observers.emit({ type: "snapshot-restored", index: metadata.index });
      this.membership.changed();
    });
  }

  #takeNow(): Promise<SnapshotMetadata> {
    return this.snapshotter.take((metadata, compactTo) => this.#append.writeSnapshot(metadata, compactTo));
  }

  #applied(): void {
    this.reads.applied(this.state.appliedIndex);
    if (!this.snapshotter.isDue || !this.lifecycle.isRunning) return;
    this.#takeNow().catch((error: unknown) => {
      // Overtaken by a received one: nothing is lost.
      if (!(error instanceof RaftError && error.code === "OVERLOADED")) this.fail(error);
    });
  }

  #observeLeader(): void {
    const { lead, role, term } = this.raw.raft;
    if (!this.leadership.isNews(lead, term)) return;
    this.leadership.observe({ lead, role, term }, this.members);
    this.membership.announceRemoval();
    if (lead !== NONE) {
      this.proposals.resendAll();
      this.reads.restart();
    }
    this.schedule();
  }

  /** Most ticks of most groups do nothing but count, so these look at as little as can be. Not called once it has stopped. */
  #onTick(missedTicks: number): void {
    try {
      this.#tick++;
      const didSomething = this.raw.tick(missedTicks);
      if (this.#mayHaveCalls) this.#mayHaveCalls = lookAfterCalls(this, this.#tick, this.#retryTicks);
      this.leadership.tick(this.state);
      // Whoever was told of a lost node may have stopped this one.
      if ((didSomething || this.#mayHaveCalls) && this.lifecycle.isRunning) this.#turn();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Runs `step` unless the node has stopped; what it throws stops the node (D3). */
  #guard(step: () => void): void {
    if (!this.lifecycle.isRunning) return;
    try {
      step();
    } catch (error) {
      this.fail(error);
    }
  }

  #close(error: RaftError): void {
    this.#stopTicking?.();
    this.#heartbeats?.leave();
    this.#channel?.close();
    this.#channel = undefined;
    this.#apply.halt(error);
    this.snapshotter.abort(error);
    this.snapshots.close();
    this.proposals.close(error);
    this.reads.close(error);
    this.conditions.close(error);
  }
}
