/**
 * One Raft group on one node, as an application uses it: propose commands, read linearizably, change the membership.
 *
 * Role: the public face of the driver. What it accepts is checked here; the loop (`group-loop.ts`) does the work.
 */

import { encodeConfChangeV2 } from "../eraftpb/conf-change.ts";
import { RaftError } from "../errors.ts";
import type { Cancel } from "../ports/clock.ts";
import {
  type ConfChangeSingle,
  type ConfState,
  type GroupId,
  type LogIndex,
  NONE,
  type NodeAddress,
  type NodeId,
  type SnapshotMetadata,
} from "../types.ts";
import { ReplicatedState } from "./apply/replicated-state.ts";
import { bootstrapStorage, isEmpty } from "./bootstrap.ts";
import { GroupLoop } from "./group-loop.ts";
import { checkConfChange } from "./membership/conf-change.ts";
import { encodeMemberUpdate } from "./membership/members.ts";
import type { RaftClusterOptions } from "./options.ts";
import { resolveOptions } from "./resolve-options.ts";
import { Snapshotter } from "./snapshots/snapshotter.ts";
import type { ClusterEvent, ClusterStatus } from "./status.ts";

export interface CallOptions {
  /** How long the call may take, in milliseconds; `defaultTimeoutMs` of the limits unless given. */
  readonly timeoutMs?: number;
}

/**
 * A change to one member. The address comes with a member that is added; adding one again, as what it is, only moves it to
 * another address.
 */
export interface MemberChange {
  readonly type: "AddNode" | "AddLearnerNode" | "RemoveNode";
  readonly nodeId: NodeId;
  readonly address?: string;
  /** No node may have had the id: refused if one has, even if the change gets through only after another one took it. */
  readonly isNew?: boolean;
}

const CHANGE_TYPES: readonly MemberChange["type"][] = ["AddNode", "AddLearnerNode", "RemoveNode"];

export class RaftCluster<Command, Result> {
  readonly nodeId: NodeId;
  readonly groupId: GroupId;
  readonly #loop: GroupLoop<Command, Result>;

  /**
   * Starts the group from what the storage holds, or as `bootstrap` says if it holds nothing. Resolves when the node takes
   * part; a leader need not be known yet (see {@link waitForLeader}).
   *
   * Throws RaftError CONFIG_INVALID for options that cannot work, CODEC_INVALID for a stored snapshot of a newer version, and
   * whatever the storage throws.
   */
  static async start<Command, Result>(
    options: RaftClusterOptions<Command, Result>,
  ): Promise<RaftCluster<Command, Result>> {
    const resolved = resolveOptions(options);
    const { storage, executor, limits, logger } = resolved;
    if (isEmpty(storage)) await bootstrapStorage(storage, executor, options.bootstrap);
    checkStateIsNotAhead(executor.durableIndex?.() ?? 0, storage.lastIndex());
    const state = new ReplicatedState();
    const snapshotter = new Snapshotter(storage, executor, state, limits, logger, resolved.calls);
    const snapshot = storage.snapshot();
    if (snapshot !== "unavailable" && snapshot.metadata.index > 0) await snapshotter.restore(snapshot.metadata);
    const loop = new GroupLoop(resolved, state, snapshotter);
    loop.start();
    return new RaftCluster(loop);
  }

  private constructor(loop: GroupLoop<Command, Result>) {
    this.#loop = loop;
    this.nodeId = loop.options.nodeId;
    this.groupId = loop.options.groupId;
  }

  /**
   * Replicates a command and resolves with its result once it is committed and applied on this node; any node may propose. It
   * is applied at most once, however often it had to be sent.
   *
   * Rejects with RaftError PAYLOAD_TOO_LARGE, OVERLOADED or NO_LEADER (nothing was applied), DEADLINE_EXCEEDED or
   * PROPOSAL_OUTCOME_UNKNOWN (it may be applied), NODE_STOPPED or NODE_FAILED (it may be applied), and with what the
   * executor's `encode` throws.
   */
  async propose(command: Command, options: CallOptions = {}): Promise<Result> {
    const { executor } = this.#loop.options;
    return (await this.#loop.propose(executor.encode(command), this.#timeout(options))) as Result;
  }

  /**
   * A linearizable read barrier (thesis §6.4): resolves when this node's state holds everything that was acknowledged anywhere
   * before the call, with the index applied by then. Rejects with RaftError NO_LEADER or DEADLINE_EXCEEDED.
   */
  async readIndex(options: CallOptions = {}): Promise<LogIndex> {
    this.#assertRunning();
    const index = this.#loop.reads.request(this.#now(), this.#timeout(options));
    this.#loop.schedule();
    return await index;
  }

  /**
   * Changes the membership, several members at once through joint consensus (thesis §4.3), and resolves with the
   * configuration once it is in force here and not joint any more. On the leader it resolves when the group can go on without the
   * members that were removed, be it this node, even if all others crash now.
   *
   * Rejects with RaftError NODE_UNKNOWN (removing a node that is no member), CONF_CHANGE_INVALID, NO_LEADER, DEADLINE_EXCEEDED,
   * and with the transport's TRANSPORT_ADDRESS_INVALID.
   */
  async changeMembership(changes: readonly MemberChange[], options: CallOptions = {}): Promise<ConfState> {
    this.#assertRunning();
    for (const change of changes) this.#checkChange(change);
    const singles: ConfChangeSingle[] = changes.map(({ type, nodeId }) => ({ type, nodeId }));
    const addresses = changes.flatMap(({ nodeId, address }) => (address === undefined ? [] : [{ nodeId, address }]));
    const update = { addresses, newIds: changes.flatMap(({ nodeId, isNew }) => (isNew === true ? [nodeId] : [])) };
    const change = { transition: "Auto" as const, changes: singles, context: encodeMemberUpdate(update) };
    const isJoint = () => this.#confState.votersOutgoing.length > 0;
    if (changes.length === 0 && !isJoint()) throw new RaftError("CONF_CHANGE_INVALID", "no change was given");
    const check = (): void => {
      const refusal =
        this.#loop.state.members.refusalOf(this.#confState, change, update) ??
        (isJoint() ? undefined : checkConfChange(this.#confState, change));
      if (refusal !== undefined) throw refusal;
    };
    check();
    const timeoutMs = this.#timeout(options);
    const deadlineMs = this.#now() + timeoutMs;
    await this.#moveLeadershipFrom(changes, timeoutMs / 2);
    await this.#proposeChange(encodeConfChangeV2(change), check, deadlineMs);
    await this.#loop.conditions.until(
      () => !isJoint() && !this.#needsThoseRemoved(),
      deadlineMs,
      () =>
        new RaftError(
          "DEADLINE_EXCEEDED",
          `the change is in force but not complete after ${timeoutMs} ms; it will be`,
          {
            retryable: false,
          },
        ),
    );
    return this.#confState;
  }

  /**
   * Hands leadership to another voter (thesis §3.10) and resolves when it leads. Rejects with NODE_UNKNOWN for a node that is no
   * voter, DEADLINE_EXCEEDED when it does not take over; the old leader then goes on.
   */
  async transferLeadership(to: NodeId, options: CallOptions = {}): Promise<void> {
    this.#assertRunning();
    if (!this.#confState.voters.includes(to)) {
      throw new RaftError(
        "NODE_UNKNOWN",
        `node ${to} is no voter, so it cannot lead; voters are ${this.#confState.voters}`,
        {
          details: { voters: this.#confState.voters },
        },
      );
    }
    const timeoutMs = this.#timeout(options);
    this.#loop.input((raw) => raw.transferLeader(to));
    await this.#loop.conditions.until(
      () => this.#loop.leadership.leader === to,
      this.#now() + timeoutMs,
      () =>
        new RaftError("DEADLINE_EXCEEDED", `node ${to} did not take over the leadership within ${timeoutMs} ms`, {
          retryable: true,
        }),
    );
  }

  /** Campaigns now, without waiting for the election timeout. */
  campaign(): void {
    this.#loop.input((raw) => raw.campaign());
  }

  /**
   * Takes a snapshot now and cuts the log behind it. Rejects with OVERLOADED while another is being written. The executor must
   * not await it in `apply`: it waits for what is being applied.
   */
  snapshot(): Promise<SnapshotMetadata> {
    return this.#loop.takeSnapshot();
  }

  /** Resolves with the leader as soon as one is known. Rejects with NO_LEADER. */
  async waitForLeader(options: CallOptions = {}): Promise<NodeId> {
    this.#assertRunning();
    const timeoutMs = this.#timeout(options);
    await this.#loop.conditions.until(
      () => this.#loop.leadership.leader !== NONE,
      this.#now() + timeoutMs,
      () =>
        new RaftError(
          "NO_LEADER",
          `no leader was found within ${timeoutMs} ms; check that a majority of the nodes is up and reachable`,
          {
            retryable: true,
          },
        ),
    );
    return this.#loop.leadership.leader;
  }

  /** 0 when none is known. */
  get leader(): NodeId {
    return this.#loop.leadership.leader;
  }

  get isLeader(): boolean {
    return this.#loop.leadership.leader === this.nodeId;
  }

  /** Why the node stopped by itself, if it did. */
  get failure(): Error | undefined {
    return this.#loop.lifecycle.failure;
  }

  /** Members with their addresses, ascending. */
  members(): readonly NodeAddress[] {
    return this.#loop.state.members.toRecord().addresses;
  }

  status(): ClusterStatus {
    const { raw, state, options, proposals, reads, leadership } = this.#loop;
    const { softState, hardState, progress } = raw.status();
    const { storage, timing } = options;
    const snapshot = storage.snapshot();
    return {
      nodeId: this.nodeId,
      groupId: this.groupId,
      role: softState.role,
      isLearner: state.confState.learners.includes(this.nodeId),
      leader: softState.lead,
      term: hardState.term,
      commit: hardState.commit,
      applied: state.appliedIndex,
      firstIndex: storage.firstIndex(),
      lastIndex: storage.lastIndex(),
      snapshotIndex: snapshot === "unavailable" ? 0 : snapshot.metadata.index,
      confState: state.confState,
      members: this.members(),
      highestNodeId: state.members.highestNodeId,
      pendingProposals: proposals.size,
      pendingReads: reads.size,
      refusedMessages: this.#loop.received.refused,
      progress: Array.from(progress, ([nodeId, { state: progressState, match, recentActive }]) => ({
        nodeId,
        state: progressState,
        match,
        recentActive,
        silentMs: leadership.silentTicks(nodeId) * timing.tickMs,
      })),
      transfers: this.#loop.snapshots.status(),
    };
  }

  /** Hears every {@link ClusterEvent} from now on, in order; must not throw. Returns how to stop hearing. */
  on(listener: (event: ClusterEvent) => void): Cancel {
    return this.#loop.observers.add(listener);
  }

  /** Stops taking part and waits for writes under way. Waiting calls reject with NODE_STOPPED. The storage stays open. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /**
   * Gives the leadership to a voter that stays, before the leader is removed. A leader that is removed takes no proposals until it has
   * stepped down, and then the group is without a leader until another is elected.
   */
  async #moveLeadershipFrom(changes: readonly MemberChange[], timeoutMs: number): Promise<void> {
    const leaving = new Set(changes.flatMap(({ type, nodeId }) => (type === "AddNode" ? [] : [nodeId])));
    const { leader } = this.#loop.leadership;
    if (!leaving.has(leader)) return;
    const successor = this.#furthestAhead(this.#confState.voters.filter((nodeId) => !leaving.has(nodeId)));
    if (successor === undefined) return;
    try {
      await this.transferLeadership(successor, { timeoutMs });
    } catch (error) {
      this.#loop.options.logger.warn({ err: error, successor }, "removing the leader without a transfer before");
    }
  }

  /** Of `voters`, the one that a transfer suits best, as far as this node can tell: only the leader can. */
  #furthestAhead(voters: readonly NodeId[]): NodeId | undefined {
    const { progress } = this.#loop.raw.status();
    const rank = (nodeId: NodeId): number => {
      const one = progress.get(nodeId);
      return one?.recentActive === true ? one.match : -1;
    };
    return voters.toSorted((a, b) => rank(b) - rank(a))[0];
  }

  /**
   * Proposes until the leader is free to take it (CONF_CHANGE_REFUSED) or the deadline passes. `check` throws when the change that was in
   * its way has made it impossible.
   */
  async #proposeChange(data: Uint8Array, check: () => void, deadlineMs: number): Promise<void> {
    const { clock, timing } = this.#loop.options;
    for (;;) {
      const applied = this.#loop.proposals.add("EntryConfChangeV2", data, this.#now(), deadlineMs - this.#now());
      this.#loop.schedule();
      try {
        await applied;
        return;
      } catch (error) {
        const isBusy = error instanceof RaftError && error.code === "CONF_CHANGE_REFUSED";
        if (!isBusy || this.#now() >= deadlineMs) throw error;
        await new Promise<void>((resolve) => clock.after(timing.tickMs, resolve));
        check();
      }
    }
  }

  /** On the leader: whether the group may still need the members that the last change took votes from (raft/removal.ts RV1). */
  #needsThoseRemoved(): boolean {
    const { role, log, lossOfVotesAt } = this.#loop.raw.raft;
    return role === "StateLeader" && log.committed < lossOfVotesAt;
  }

  get #confState(): ConfState {
    return this.#loop.state.confState;
  }

  #now(): number {
    return this.#loop.options.clock.monotonicMs();
  }

  /** Deadlines are looked at once a tick, so that a timeout of 0 still gives the call that long. */
  #timeout({ timeoutMs = this.#loop.options.limits.defaultTimeoutMs }: CallOptions): number {
    if (timeoutMs >= 0) return timeoutMs;
    throw new RaftError("CONFIG_INVALID", `timeoutMs must be a number of milliseconds from 0, not ${timeoutMs}`);
  }

  #checkChange({ type, nodeId, address }: MemberChange): void {
    if (address !== undefined) this.#loop.options.transport.checkAddress?.(address);
    if (!CHANGE_TYPES.includes(type)) {
      throw new RaftError("CONF_CHANGE_INVALID", `${type} is no type of change; there are ${CHANGE_TYPES.join(", ")}`);
    }
    if (!Number.isSafeInteger(nodeId) || nodeId <= NONE) {
      throw new RaftError("CONF_CHANGE_INVALID", `${nodeId} is no node id; ids are positive safe integers`);
    }
    if (type === "RemoveNode" && !this.#loop.members.includes(nodeId)) {
      throw new RaftError("NODE_UNKNOWN", `node ${nodeId} is no member; members are ${this.#loop.members}`, {
        details: { members: this.#loop.members },
      });
    }
  }

  #assertRunning(): void {
    this.#loop.lifecycle.assertRunning();
  }
}

/** A state has only commands that the log had, and the log never loses what was applied. */
function checkStateIsNotAhead(durable: LogIndex, lastIndex: LogIndex): void {
  if (durable <= lastIndex) return;
  throw new RaftError(
    "STATE_MISMATCH",
    `the state has commands up to ${durable}, but the log ends at ${lastIndex}: they are not of one data folder. Restore the whole folder ` +
      "from one backup, or remove the node and let it join again with an empty one",
    { details: { durable, lastIndex } },
  );
}
