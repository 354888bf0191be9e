/**
 * The loop of one Raft group on one node: steps inputs into a RawNode and carries out its Readys.
 *
 * Role: creates the parts of the group and connects them. Each part gets only the parts that it uses.
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
import type { RaftError } from "../errors.ts";
import type { Message } from "../message.ts";
import type { Cancel } from "../ports/clock.ts";
import type { RawNode } from "../raw-node.ts";
import type { Progress } from "../tracker/progress.ts";
import { NONE, type NodeId, type SnapshotMetadata } from "../types.ts";
import { AppendThread } from "./append-thread.ts";
import { ApplyThread } from "./apply/apply-thread.ts";
import type { ReplicatedState } from "./apply/replicated-state.ts";
import { GroupCalls } from "./calls/group-calls.ts";
import { coreOf } from "./core-of.ts";
import { describeGroup } from "./group-description.ts";
import { GroupOutbox } from "./group-outbox.ts";
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
import { LocalSnapshots } from "./snapshots/local-snapshots.ts";
import { SnapshotExchange } from "./snapshots/snapshot-exchange.ts";
import { isSnapshotOf } from "./snapshots/snapshot-message.ts";
import type { Snapshotter } from "./snapshots/snapshotter.ts";
import type { ClusterEvent, ClusterStatus } from "./status.ts";
import { Turns } from "./turns.ts";

/** One running group on one node. {@link RaftCluster} calls its public methods. */
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
  readonly #ownSnapshots: LocalSnapshots;
  readonly #inbox: GroupInbox;
  readonly #outbox: GroupOutbox;
  readonly #turns: Turns;
  readonly #append: AppendThread;
  readonly #apply: ApplyThread<Command, Result>;
  #heartbeats: HeartbeatMembership | undefined;
  #stopTicking: Cancel | undefined;

  /** `state` must be restored from the storage. The storage is not empty unless this node joins. */
  constructor(options: ResolvedOptions<Command, Result>, state: ReplicatedState, snapshotter: Snapshotter) {
    const { nodeId, storage, executor, timing, limits, clock, logger } = options;
    const fail = (error: unknown) => this.#fail(error);
    this.#options = options;
    this.#lifecycle = new Lifecycle(nodeId);
    this.#turns = new Turns({ lifecycle: this.#lifecycle, clock, turn: () => this.#turn(), fail });
    this.#state = state;
    this.#snapshotter = snapshotter;
    this.#observers = new Observers(logger);
    this.#membership = new Membership(options, state, this.#observers, () => this.#raw.needsThoseRemoved());
    this.#leadership = new Leadership(nodeId, timing.nodeLostTicks, executor, this.#observers, logger);
    this.#calls = new GroupCalls(options, {
      lifecycle: this.#lifecycle,
      leadership: this.#leadership,
      schedule: () => this.#turns.schedule(),
    });
    this.#raw = coreOf(options, state.appliedIndex, (...heartbeat) => this.#heartbeats?.carries(...heartbeat) ?? false);
    const proposed = new ReceivedProposals(executor, limits.maxCommandBytes, logger);
    this.#received = new ReceivedMessages(nodeId, this.#raw, proposed);
    const deliver = (responses: readonly Message[]) =>
      this.#turns.enter(() => this.#outbox.deliver(responses, (response) => this.#raw.step(response)));
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
    const exclusively = (run: () => Promise<void>) => this.#apply.exclusively(run);
    this.#ownSnapshots = new LocalSnapshots({
      lifecycle: this.#lifecycle,
      snapshotter,
      observers: this.#observers,
      exclusively,
      writeSnapshot: (metadata, compactTo) => this.#append.writeSnapshot(metadata, compactTo),
      fail,
    });
    this.#snapshots = new SnapshotExchange({
      options,
      raft: this.#raw.raft,
      leadership: this.#leadership,
      snapshotter,
      takeSnapshot: () => this.takeSnapshot(),
      exclusively,
      report: (to, outcome) => this.#turns.enter(() => this.#raw.reportSnapshot(to, outcome)),
    });
    this.#inbox = this.#createInbox();
    this.#outbox = new GroupOutbox({ nodeId, append: this.#append, apply: this.#apply, snapshots: this.#snapshots });
  }

  /** Opens the group on its transport and begins to tick. */
  start(): void {
    const { transport, groupId, clock, timing, nodeId } = this.#options;
    const receiver = showingInside(this.#inbox, { raw: this.#raw, state: this.#state });
    this.#outbox.open(transport.open(groupId, receiver));
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
    this.#turns.schedule();
  }

  /** The leader that this node knows, or NONE. */
  get leader(): NodeId {
    return this.#leadership.leader;
  }

  /** The error that stopped the node, if it stopped by itself. */
  get failure(): Error | undefined {
    return this.#lifecycle.failure;
  }

  /** Throws NODE_STOPPED or NODE_FAILED unless the group runs. */
  assertRunning(): void {
    this.#lifecycle.assertRunning();
  }

  /** Tells `listener` of every event from now on, until the returned function is called. */
  observe(listener: (event: ClusterEvent) => void): Cancel {
    return this.#observers.add(listener);
  }

  /** The status of the group at this moment. */
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

  /** The Progress of each member on the leader; empty on other nodes. */
  progress(): ReadonlyMap<NodeId, Progress> {
    return this.#raw.status().progress;
  }

  /** Whether the group may still need the members that lost their votes by the last change (raft/removal.ts RV1, RV3). */
  needsThoseRemoved(): boolean {
    return this.#raw.needsThoseRemoved();
  }

  /** The calls of the application that wait for the group. */
  get calls(): Pick<GroupCalls<Result>, "propose" | "proposeChange" | "readIndex" | "until"> {
    return this.#calls;
  }

  /** Sends a request of the application to a peer ({@link GroupOutbox.request}). Throws NODE_STOPPED or NODE_FAILED unless the group runs. */
  request(peer: NodeId, request: Uint8Array): Promise<Uint8Array> {
    this.#lifecycle.assertRunning();
    return this.#outbox.request(peer, request);
  }

  /** Stands for election now. Throws NODE_STOPPED or NODE_FAILED unless the group runs. */
  campaign(): void {
    this.#input((raw) => raw.campaign());
  }

  /** Asks the leader to hand the leadership to `to`. Throws NODE_STOPPED or NODE_FAILED unless the group runs. */
  transferLeader(to: NodeId): void {
    this.#input((raw) => raw.transferLeader(to));
  }

  /** Takes a snapshot of this node's state. Contract and errors are those of {@link LocalSnapshots.take}. */
  takeSnapshot(): Promise<SnapshotMetadata> {
    return this.#ownSnapshots.take();
  }

  /** Stops ticking, receiving and sending, and waits for the work under way. Idempotent. */
  async stop(): Promise<void> {
    if (this.#lifecycle.isRunning) {
      this.#lifecycle.stop();
      this.#close(this.#lifecycle.refusal());
    }
    await this.#append.idle();
    await this.#apply.idle();
    await this.#snapshotter.idle();
  }

  /** Stops the node because it cannot go on safely (D3). */
  #fail(cause: unknown): void {
    if (!this.#lifecycle.isRunning) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#lifecycle.fail(error);
    const { logger, nodeId, groupId } = this.#options;
    logger.error({ err: error, nodeId, groupId }, "the node cannot go on safely and has stopped");
    this.#close(this.#lifecycle.refusal());
    this.#observers.emit({ type: "failed", error });
  }

  #createInbox(): GroupInbox {
    const { nodeId, executor, limits } = this.#options;
    return new GroupInbox({
      lifecycle: this.#lifecycle,
      membership: this.#membership,
      leadership: this.#leadership,
      received: this.#received,
      enter: (step) => this.#turns.enter(step),
      storeSnapshot: (message, content) =>
        this.#snapshots.receive(message, content, (counted) => this.#snapshotter.receive(message, counted)),
      isRestoring: (message) => isSnapshotOf(message, this.#raw.raft.log.unstable.snapshot),
      sendSnapshotFor: (message, minIndex) => this.#outbox.sendSnapshotFor(message, minIndex),
      answerRequest: this.#options.answerRequest,
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

  /** Gives the core an input of the application. */
  #input(give: (raw: RawNode) => void): void {
    this.#lifecycle.assertRunning();
    this.#turns.enter(() => give(this.#raw));
  }

  #turn(): void {
    this.#calls.flush(this.#raw);
    while (this.#raw.hasReady()) {
      const { readStates, messages } = this.#raw.ready();
      for (const { index, context } of readStates) this.#calls.confirm(context, index, this.#state.appliedIndex);
      this.#outbox.handOut(messages);
    }
    this.#observeLeader();
    if (this.#calls.hasMore) this.#turns.schedule();
    this.#calls.checkConditions();
  }

  async #restore(metadata: SnapshotMetadata): Promise<void> {
    await this.#apply.exclusively(() => this.#snapshotter.restore(metadata));
    this.#turns.guard(() => {
      this.#calls.restored(this.#state.sessions, this.#state.appliedIndex);
      this.#observers.emit({ type: "snapshot-restored", index: metadata.index });
      this.#membership.changed();
    });
  }

  #applied(): void {
    this.#calls.applied(this.#state.appliedIndex);
    this.#membership.announceRemoval();
    this.#ownSnapshots.takeIfDue();
  }

  #observeLeader(): void {
    const { lead, role, term } = this.#raw.raft;
    if (!this.#leadership.isNews(lead, term)) return;
    this.#leadership.observe({ lead, role, term }, this.#state.memberIds);
    this.#membership.announceRemoval();
    if (lead !== NONE) this.#calls.leaderKnown();
    this.#turns.schedule();
  }

  /** Lets a tick pass. Most ticks of most groups only count, so a tick does as little as possible. Not called after the node has stopped. */
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

  #close(error: RaftError): void {
    this.#stopTicking?.();
    this.#heartbeats?.leave();
    this.#outbox.close();
    this.#apply.halt(error);
    this.#snapshotter.abort(error);
    this.#snapshots.close();
    this.#calls.close(error);
  }
}
