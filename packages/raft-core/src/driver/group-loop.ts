/**
 * The loop of one Raft group on one node: steps inputs into a RawNode and carries out its Readys.
 *
 * Data goes one way. Proposals, reads, messages, ticks, and the responses of the append and apply threads are stepped into
 * the core. At the end of the turn of the event loop, the core's Ready goes out: messages to the transport, appends to
 * the storage, committed entries to the executor. So everything that arrives in one turn becomes one append, one durable
 * write and one frame per peer; writes, sends and applying overlap.
 *
 * Invariants:
 * D1. No request for votes, no vote and no acknowledgement leaves before the state that it claims is durable (append-thread.ts A1).
 * D2. Only committed entries are applied, each once (kept by the core, and by apply-thread.ts B1).
 * D3. After a failed write or a broken invariant the node sends no message, writes no batch and applies no entry.
 */
import { RaftError } from "../errors.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../message.ts";
import type { Cancel } from "../ports/clock.ts";
import type { GroupChannel } from "../ports/peer-transport.ts";
import type { RawNode } from "../raw-node.ts";
import type { Progress } from "../tracker/progress.ts";
import { NONE, type NodeId, type SnapshotMetadata } from "../types.ts";
import { AppendThread } from "./append-thread.ts";
import { ApplyThread } from "./apply/apply-thread.ts";
import type { ReplicatedState } from "./apply/replicated-state.ts";
import { GroupCalls } from "./calls/group-calls.ts";
import { coreOf } from "./core-of.ts";
import { describeGroup } from "./group-description.ts";
import { statusOf } from "./group-status.ts";
import { joinHeartbeats } from "./heartbeats/group-heartbeats.ts";
import type { HeartbeatMembership } from "./heartbeats/node-heartbeats.ts";
import { tickerOf } from "./heartbeats/ticker.ts";
import { GroupInbox } from "./inbound/group-inbox.ts";
import { ReceivedMessages } from "./inbound/received-messages.ts";
import { ReceivedProposals } from "./inbound/received-proposals.ts";
import { showingInside } from "./inside.ts";
import { Lifecycle } from "./lifecycle.ts";
import { Leadership } from "./membership/leadership.ts";
import { Membership } from "./membership/membership.ts";
import { Observers } from "./observers.ts";
import type { ResolvedOptions } from "./options.ts";
import { SnapshotExchange } from "./snapshots/snapshot-exchange.ts";
import { isSnapshotOf } from "./snapshots/snapshot-message.ts";
import type { Snapshotter } from "./snapshots/snapshotter.ts";
import type { ClusterEvent, ClusterStatus } from "./status.ts";

/** One running group. Its parts are its own: each is given what it needs of the others, and {@link RaftCluster} gets the calls below. */
export class GroupLoop<Command, Result> {
  readonly #options: ResolvedOptions<Command, Result>;
  readonly #raw: RawNode;
  readonly #state: ReplicatedState;
  readonly #calls: GroupCalls<Result>;
  readonly #leadership: Leadership;
  readonly #membership: Membership;
  readonly #observers: Observers;
  readonly #lifecycle: Lifecycle;
  readonly #snapshotter: Snapshotter;
  readonly #snapshots: SnapshotExchange;
  readonly #received: ReceivedMessages;
  readonly #inbox: GroupInbox;
  readonly #append: AppendThread;
  readonly #apply: ApplyThread<Command, Result>;
  #channel: GroupChannel | undefined;
  #heartbeats: HeartbeatMembership | undefined;
  #stopTicking: Cancel | undefined;
  #turnIsDue = false;

  /** `state` is restored already; the storage is not empty, or this node joins. */
  constructor(options: ResolvedOptions<Command, Result>, state: ReplicatedState, snapshotter: Snapshotter) {
    const { nodeId, storage, executor, timing, limits, logger } = options;
    this.#options = options;
    this.#lifecycle = new Lifecycle(nodeId);
    this.#state = state;
    this.#snapshotter = snapshotter;
    this.#observers = new Observers(logger);
    this.#membership = new Membership(options, state, this.#observers, () => this.#raw.needsThoseRemoved());
    this.#leadership = new Leadership(nodeId, timing.nodeLostTicks, executor, this.#observers, logger);
    this.#calls = new GroupCalls(options, {
      lifecycle: this.#lifecycle,
      leadership: this.#leadership,
      schedule: () => this.#schedule(),
    });
    this.#raw = coreOf(options, state.appliedIndex, (...heartbeat) => this.#heartbeats?.carries(...heartbeat) ?? false);
    const proposed = new ReceivedProposals(executor, limits.maxCommandBytes, logger);
    this.#received = new ReceivedMessages(nodeId, this.#raw, proposed);
    const deliver = (responses: readonly Message[]) => this.#deliver(responses);
    const fail = (error: unknown) => this.#fail(error);
    this.#append = new AppendThread(storage, storage.initialState().hardState, {
      deliver,
      restore: (metadata) => this.#restore(metadata),
      fail,
    });
    this.#apply = new ApplyThread(executor, state, {
      deliver,
      applyConfChange: (change) => this.#raw.applyConfChange(change),
      settled: (id, result) => this.#calls.settled(id, result),
      reconfigured: (id) => {
        if (id !== undefined) this.#calls.settled(id, undefined);
        this.#membership.changed();
      },
      refused: (id, error) => this.#calls.refused(id, error),
      expired: (id) => this.#calls.expired(id),
      registered: (node, nonce, index) => this.#calls.registered(node, nonce, index),
      applied: () => this.#applied(),
      fail,
    });
    this.#snapshots = new SnapshotExchange({
      options,
      raft: this.#raw.raft,
      leadership: this.#leadership,
      snapshotter,
      takeSnapshot: () => this.takeSnapshot(),
      exclusively: (run) => this.#apply.exclusively(run),
      report: (to, outcome) => this.#enter(() => this.#raw.reportSnapshot(to, outcome)),
    });
    this.#inbox = this.#openInbox();
  }

  /** Begins to hear and to tick. */
  start(): void {
    const { transport, groupId, clock, timing, nodeId } = this.#options;
    const receiver = showingInside(this.#inbox, { raw: this.#raw, state: this.#state });
    this.#channel = transport.open(groupId, receiver);
    this.#membership.learnPeers();
    this.#stopTicking = tickerOf(clock, timing.tickMs).onTick((missedTicks) => this.#onTick(missedTicks));
    this.#heartbeats = joinHeartbeats({
      options: this.#options,
      raw: this.#raw,
      lifecycle: this.#lifecycle,
      leadership: this.#leadership,
      inbox: this.#inbox,
    });
    const { voters, votersOutgoing } = this.#state.confState;
    // A single voter need not wait for an election timeout.
    if (voters.length === 1 && votersOutgoing.length === 0 && voters[0] === nodeId) this.#raw.campaign();
    this.#schedule();
  }

  /** NONE when none is known. */
  get leader(): NodeId {
    return this.#leadership.leader;
  }

  /** Why the node stopped by itself, if it did. */
  get failure(): Error | undefined {
    return this.#lifecycle.failure;
  }

  /** Throws NODE_STOPPED or NODE_FAILED unless the group runs. */
  assertRunning(): void {
    this.#lifecycle.assertRunning();
  }

  /** Tells `listener` of every event from now on. Returns what ends it. */
  observe(listener: (event: ClusterEvent) => void): Cancel {
    return this.#observers.add(listener);
  }

  /** What the group tells about itself at this moment. */
  status(): ClusterStatus {
    return statusOf({
      options: this.#options,
      state: this.#state,
      raw: this.#raw,
      calls: this.#calls,
      received: this.#received,
      leadership: this.#leadership,
      snapshots: this.#snapshots,
    });
  }

  /** On the leader, how far each member is; empty elsewhere. */
  progress(): ReadonlyMap<NodeId, Progress> {
    return this.#raw.status().progress;
  }

  /** Whether the group may still need the members that the last change took votes from (raft/removal.ts RV1, RV3). */
  needsThoseRemoved(): boolean {
    return this.#raw.needsThoseRemoved();
  }

  /** The calls that an application makes. */
  get calls(): Pick<GroupCalls<Result>, "propose" | "proposeChange" | "readIndex" | "until"> {
    return this.#calls;
  }

  /** Campaigns now. */
  campaign(): void {
    this.#input((raw) => raw.campaign());
  }

  /** Asks the leader to hand the leadership to `to`. */
  transferLeader(to: NodeId): void {
    this.#input((raw) => raw.transferLeader(to));
  }

  /** Takes a snapshot between two batches. */
  async takeSnapshot(): Promise<SnapshotMetadata> {
    this.#lifecycle.assertRunning();
    let taken: Promise<SnapshotMetadata> | undefined;
    const captured = this.#apply.exclusively(async () => {
      // Only the capture must stand between two batches; writing it out goes on beside the applying.
      taken = this.#takeNow();
      taken.catch(() => {});
    });
    await captured.catch(() => this.#lifecycle.assertRunning());
    if (taken === undefined) throw this.#lifecycle.refusal();
    return await taken;
  }

  /** Stops hearing, ticking and sending, and waits for what is under way. Idempotent. */
  async stop(): Promise<void> {
    if (this.#lifecycle.isRunning) {
      this.#lifecycle.stop();
      this.#close(this.#lifecycle.refusal());
    }
    await this.#append.idle();
    await this.#apply.idle();
    await this.#snapshotter.idle();
  }

  /** D3. */
  #fail(cause: unknown): void {
    if (!this.#lifecycle.isRunning) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#lifecycle.fail(error);
    const { logger, nodeId, groupId } = this.#options;
    logger.error({ err: error, nodeId, groupId }, "the node cannot go on safely and has stopped");
    this.#close(this.#lifecycle.refusal());
    this.#observers.emit({ type: "failed", error });
  }

  #openInbox(): GroupInbox {
    const { nodeId, executor, limits } = this.#options;
    return new GroupInbox({
      lifecycle: this.#lifecycle,
      membership: this.#membership,
      leadership: this.#leadership,
      received: this.#received,
      enter: (step) => this.#enter(step),
      storeSnapshot: (message, content) =>
        this.#snapshots.receive(message, content, (counted) => this.#snapshotter.receive(message, counted)),
      isRestoring: (message) => isSnapshotOf(message, this.#raw.raft.log.unstable.snapshot),
      sendSnapshotFor: async (message, minIndex) => {
        if (this.#channel !== undefined) await this.#snapshots.sendFor(this.#channel, message, minIndex);
      },
      proposeCommand: (bytes) => {
        executor.decode(bytes);
        return this.#calls.propose(bytes, limits.defaultTimeoutMs);
      },
      reportUnreachable: (peer) => this.#raw.reportUnreachable(peer),
      describe: () =>
        describeGroup({
          nodeId,
          role: this.#raw.raft.role,
          leader: this.#leadership.leader,
          confState: this.#state.confState,
          highestNodeId: this.#state.members.highestNodeId,
        }),
    });
  }

  /** Runs a turn at the end of this turn of the event loop. */
  #schedule(): void {
    if (this.#turnIsDue || !this.#lifecycle.isRunning) return;
    this.#turnIsDue = true;
    this.#options.clock.soon(() => {
      this.#turnIsDue = false;
      this.#guard(() => this.#turn());
    });
  }

  /** Runs what comes from outside, and a turn after it. */
  #enter(step: () => void): void {
    this.#guard(() => {
      step();
      this.#schedule();
    });
  }

  /** Gives the core an input of the application's. */
  #input(give: (raw: RawNode) => void): void {
    this.#lifecycle.assertRunning();
    this.#guard(() => give(this.#raw));
    this.#schedule();
  }

  #turn(): void {
    this.#calls.flush(this.#raw);
    while (this.#raw.hasReady()) this.#carryOut();
    this.#observeLeader();
    if (this.#calls.hasMore) this.#schedule();
    this.#calls.checkConditions();
  }

  #carryOut(): void {
    const ready = this.#raw.ready();
    const { readStates, messages } = ready;
    for (const { index, context } of readStates) this.#calls.confirm(context, index, this.#state.appliedIndex);
    const toPeers: Message[] = [];
    const local: Message[] = [];
    for (const message of messages) {
      if (message.to === LOCAL_APPEND_THREAD || message.to === LOCAL_APPLY_THREAD) local.push(message);
      else if (message.type === "MsgSnap") this.#channel && this.#snapshots.send(this.#channel, message);
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
        if (response.to === this.#options.nodeId) this.#raw.step(response);
        else toPeers.push(response);
      }
      if (toPeers.length > 0) this.#channel?.send(toPeers);
      this.#schedule();
    });
  }

  async #restore(metadata: SnapshotMetadata): Promise<void> {
    await this.#apply.exclusively(() => this.#snapshotter.restore(metadata));
    this.#guard(() => {
      this.#calls.restored(this.#state.sessions, this.#state.appliedIndex);
      this.#observers.emit({ type: "snapshot-restored", index: metadata.index });
      this.#membership.changed();
    });
  }

  async #takeNow(): Promise<SnapshotMetadata> {
    const taken = await this.#snapshotter.take((metadata, compactTo) =>
      this.#append.writeSnapshot(metadata, compactTo),
    );
    // At 0 there is no state yet, and no snapshot was taken.
    if (taken.index > 0) this.#observers.emit({ type: "snapshot-taken", index: taken.index });
    return taken;
  }

  #applied(): void {
    this.#calls.applied(this.#state.appliedIndex);
    this.#membership.announceRemoval();
    if (!this.#snapshotter.isDue || !this.#lifecycle.isRunning) return;
    this.#takeNow().catch((error: unknown) => {
      // Overtaken by a received one: nothing is lost.
      if (!(error instanceof RaftError && error.code === "OVERLOADED")) this.#fail(error);
    });
  }

  #observeLeader(): void {
    const { lead, role, term } = this.#raw.raft;
    if (!this.#leadership.isNews(lead, term)) return;
    this.#leadership.observe({ lead, role, term }, this.#state.memberIds);
    this.#membership.announceRemoval();
    if (lead !== NONE) this.#calls.leaderKnown();
    this.#schedule();
  }

  /** Most ticks of most groups do nothing but count, so these look at as little as can be. Not called once it has stopped. */
  #onTick(missedTicks: number): void {
    try {
      const didSomething = this.#raw.tick(missedTicks);
      const mayHaveCalls = this.#calls.tick();
      this.#leadership.tick(this.#state);
      // An observer that was told of a lost node may have stopped this node.
      if ((didSomething || mayHaveCalls) && this.#lifecycle.isRunning) this.#turn();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Runs `step` unless the node has stopped; what it throws stops the node (D3). */
  #guard(step: () => void): void {
    if (!this.#lifecycle.isRunning) return;
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }

  #close(error: RaftError): void {
    this.#stopTicking?.();
    this.#heartbeats?.leave();
    this.#channel?.close();
    this.#channel = undefined;
    this.#apply.halt(error);
    this.#snapshotter.abort(error);
    this.#snapshots.close();
    this.#calls.close(error);
  }
}
