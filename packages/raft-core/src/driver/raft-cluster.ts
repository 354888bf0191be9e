/**
 * One Raft group on one node, as an application uses it: propose commands, read linearizably, change the membership.
 *
 * Role: the public face of the driver. What it accepts is checked here; the loop (`group-loop.ts`) does the work.
 */

import { RaftError } from "../errors.ts";
import type { Cancel } from "../ports/clock.ts";
import {
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
import { type MemberChange, MembershipChanges } from "./membership/membership-changes.ts";
import type { RaftClusterOptions, ResolvedOptions } from "./options.ts";
import { resolveOptions } from "./resolve-options.ts";
import { Snapshotter } from "./snapshots/snapshotter.ts";
import type { ClusterEvent, ClusterStatus } from "./status.ts";

/** Options of a call that waits for the group. */
export interface CallOptions {
  /** How long the call may take, in milliseconds; `defaultTimeoutMs` of the limits unless given. */
  readonly timeoutMs?: number;
}

/** One group, running on one node. Every method may be called on any node of the group. */
export class RaftCluster<Command, Result> {
  readonly nodeId: NodeId;
  readonly groupId: GroupId;
  readonly #options: ResolvedOptions<Command, Result>;
  readonly #state: ReplicatedState;
  readonly #loop: GroupLoop<Command, Result>;
  readonly #changes: MembershipChanges;

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
    return new RaftCluster(resolved, state, loop);
  }

  private constructor(
    options: ResolvedOptions<Command, Result>,
    state: ReplicatedState,
    loop: GroupLoop<Command, Result>,
  ) {
    const { transport, clock, timing, logger } = options;
    this.nodeId = options.nodeId;
    this.groupId = options.groupId;
    this.#options = options;
    this.#state = state;
    this.#loop = loop;
    this.#changes = new MembershipChanges({
      state,
      clock,
      logger,
      retryMs: timing.tickMs,
      checkAddress: (address) => transport.checkAddress?.(address),
      leader: () => loop.leader,
      transferLeadership: (to, timeoutMs) => this.transferLeadership(to, { timeoutMs }),
      propose: (change, timeoutMs) => loop.calls.proposeChange(change, timeoutMs),
      until: (isMet, deadlineMs, timeout) => loop.calls.until(isMet, deadlineMs, timeout),
      progress: () => loop.progress(),
      needsThoseRemoved: () => loop.needsThoseRemoved(),
    });
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
    const { executor } = this.#options;
    return (await this.#loop.calls.propose(executor.encode(command), this.#timeout(options))) as Result;
  }

  /**
   * A linearizable read barrier (thesis §6.4): resolves when this node's state holds everything that was acknowledged anywhere
   * before the call, with the index applied by then. Rejects with RaftError NO_LEADER or DEADLINE_EXCEEDED.
   */
  async readIndex(options: CallOptions = {}): Promise<LogIndex> {
    return await this.#loop.calls.readIndex(this.#timeout(options));
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
    this.#loop.assertRunning();
    return await this.#changes.change(changes, this.#timeout(options));
  }

  /**
   * Hands leadership to another voter (thesis §3.10) and resolves when it leads. Rejects with NODE_UNKNOWN for a node that is no
   * voter, DEADLINE_EXCEEDED when it does not take over; the old leader then goes on.
   */
  async transferLeadership(to: NodeId, options: CallOptions = {}): Promise<void> {
    this.#loop.assertRunning();
    if (!this.#state.confState.voters.includes(to)) {
      throw new RaftError(
        "NODE_UNKNOWN",
        `node ${to} is no voter, so it cannot lead; voters are ${this.#state.confState.voters}`,
        {
          details: { voters: this.#state.confState.voters },
        },
      );
    }
    const timeoutMs = this.#timeout(options);
    this.#loop.transferLeader(to);
    await this.#loop.calls.until(
      () => this.#loop.leader === to,
      this.#now() + timeoutMs,
      () =>
        new RaftError("DEADLINE_EXCEEDED", `node ${to} did not take over the leadership within ${timeoutMs} ms`, {
          retryable: true,
        }),
    );
  }

  /** Campaigns now, without waiting for the election timeout. */
  campaign(): void {
    this.#loop.campaign();
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
    this.#loop.assertRunning();
    const timeoutMs = this.#timeout(options);
    await this.#loop.calls.until(
      () => this.#loop.leader !== NONE,
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
    return this.#loop.leader;
  }

  /** 0 when none is known. */
  get leader(): NodeId {
    return this.#loop.leader;
  }

  get isLeader(): boolean {
    return this.#loop.leader === this.nodeId;
  }

  /** Why the node stopped by itself, if it did. */
  get failure(): Error | undefined {
    return this.#loop.failure;
  }

  /** Members with their addresses, ascending. */
  members(): readonly NodeAddress[] {
    return this.#state.members.toRecord().addresses;
  }

  /** What this node knows of the group at this moment. */
  status(): ClusterStatus {
    return this.#loop.status();
  }

  /** Hears every {@link ClusterEvent} from now on, in order; must not throw. Returns how to stop hearing. */
  on(listener: (event: ClusterEvent) => void): Cancel {
    return this.#loop.observe(listener);
  }

  /** Stops taking part and waits for writes under way. Waiting calls reject with NODE_STOPPED. The storage stays open. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  /** Deadlines are looked at once a tick, so that a timeout of 0 still gives the call that long. */
  #timeout({ timeoutMs = this.#options.limits.defaultTimeoutMs }: CallOptions): number {
    if (timeoutMs >= 0) return timeoutMs;
    throw new RaftError("CONFIG_INVALID", `timeoutMs must be a number of milliseconds from 0, not ${timeoutMs}`);
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
