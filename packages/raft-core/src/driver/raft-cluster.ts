/**
 * One Raft group on one node, as an application uses it: propose commands, read linearizably, change the membership.
 *
 * Role: the public interface of the driver. It checks the arguments; the loop (`group-loop.ts`) does the work.
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
  /** Longest time of the call in milliseconds. Defaults to `defaultTimeoutMs` of the limits. */
  readonly timeoutMs?: number;
}

/** One group, running on one node. Every method may be called on any node of the group. */
export class RaftCluster<Command, Result> {
  /** Id of this node. */
  readonly nodeId: NodeId;
  /** Id of the group. */
  readonly groupId: GroupId;
  readonly #options: ResolvedOptions<Command, Result>;
  readonly #state: ReplicatedState;
  readonly #loop: GroupLoop<Command, Result>;
  readonly #changes: MembershipChanges;

  /**
   * Starts the group from the contents of the storage, or as `bootstrap` says if the storage is empty. Resolves when the node takes
   * part; a leader need not be known yet (see {@link waitForLeader}).
   *
   * Rejects with RaftError CONFIG_INVALID for invalid options, CODEC_INVALID for a stored snapshot of a newer version, STATE_MISMATCH for an
   * executor's state that does not belong to the storage, and with errors of the storage.
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
   * Replicates a command and resolves with its result once it is committed and applied on this node. Any node may propose. The
   * command is applied at most once, even if it is sent several times.
   *
   * Rejects with RaftError PAYLOAD_TOO_LARGE, OVERLOADED or NO_LEADER (the command was not applied), DEADLINE_EXCEEDED,
   * PROPOSAL_OUTCOME_UNKNOWN, NODE_STOPPED or NODE_FAILED (the command may be applied), and with errors of the
   * executor's `encode`.
   */
  async propose(command: Command, options: CallOptions = {}): Promise<Result> {
    const { executor } = this.#options;
    return (await this.#loop.calls.propose(executor.encode(command), this.#timeout(options))) as Result;
  }

  /**
   * A linearizable read barrier (thesis §6.4). Resolves with the applied index when this node's state holds everything that was acknowledged
   * anywhere before the call. Rejects with RaftError OVERLOADED, NO_LEADER, DEADLINE_EXCEEDED, NODE_STOPPED or NODE_FAILED.
   */
  async readIndex(options: CallOptions = {}): Promise<LogIndex> {
    return await this.#loop.calls.readIndex(this.#timeout(options));
  }

  /**
   * Changes the membership, several members at once through joint consensus (thesis §4.3). Resolves with the
   * configuration once it is in force here and not joint any more. On the leader it resolves when the group can go on without the
   * removed members, which may include this node, even if all other nodes crash at that moment.
   *
   * Rejects with RaftError NODE_UNKNOWN (removing a node that is no member), CONF_CHANGE_INVALID, NO_LEADER, DEADLINE_EXCEEDED, NODE_STOPPED,
   * NODE_FAILED, and with the transport's TRANSPORT_ADDRESS_INVALID.
   */
  async changeMembership(changes: readonly MemberChange[], options: CallOptions = {}): Promise<ConfState> {
    this.#loop.assertRunning();
    return await this.#changes.change(changes, this.#timeout(options));
  }

  /**
   * Hands the leadership to another voter (thesis §3.10) and resolves when that voter leads. Rejects with NODE_UNKNOWN for a node that is no
   * voter, and with DEADLINE_EXCEEDED when the voter does not take over; the old leader then goes on.
   */
  async transferLeadership(to: NodeId, options: CallOptions = {}): Promise<void> {
    this.#loop.assertRunning();
    if (!this.#state.confState.voters.includes(to)) {
      throw new RaftError(
        "NODE_UNKNOWN",
        `Node ${to} is no voter, so it cannot lead. Choose one of the voters: ${this.#state.confState.voters}.`,
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
        new RaftError(
          "DEADLINE_EXCEEDED",
          `Node ${to} did not take over the leadership within ${timeoutMs} ms. Check that it is up and reachable, and try again.`,
          { retryable: true },
        ),
    );
  }

  /**
   * Sends a request of the application to another member, beside consensus and without delaying it, and resolves with what its `answerRequest` gave. Request and answer have at most 1 MiB.
   * Rejects with TRANSPORT_PEER_UNREACHABLE (whether the member has had the request is not known), TRANSPORT_REQUEST_REFUSED, TRANSPORT_CLOSED, NODE_STOPPED or NODE_FAILED.
   */
  async request(peer: NodeId, request: Uint8Array): Promise<Uint8Array> {
    return await this.#loop.request(peer, request);
  }

  /** Campaigns now, without waiting for the election timeout. */
  campaign(): void {
    this.#loop.campaign();
  }

  /**
   * Takes a snapshot now and compacts the log. Rejects with OVERLOADED while another snapshot is being written. The executor must
   * not await it in `apply`, because the snapshot waits until the batch that is being applied is done.
   */
  snapshot(): Promise<SnapshotMetadata> {
    return this.#loop.takeSnapshot();
  }

  /** Resolves with the leader's id as soon as a leader is known. Rejects with NO_LEADER when the time is over. */
  async waitForLeader(options: CallOptions = {}): Promise<NodeId> {
    this.#loop.assertRunning();
    const timeoutMs = this.#timeout(options);
    await this.#loop.calls.until(
      () => this.#loop.leader !== NONE,
      this.#now() + timeoutMs,
      () =>
        new RaftError(
          "NO_LEADER",
          `No leader was found within ${timeoutMs} ms. Check that a majority of the nodes is up and reachable.`,
          {
            retryable: true,
          },
        ),
    );
    return this.#loop.leader;
  }

  /** Id of the leader that this node knows; 0 when it knows none. */
  get leader(): NodeId {
    return this.#loop.leader;
  }

  /** Whether this node is the leader, as far as it knows. */
  get isLeader(): boolean {
    return this.#loop.leader === this.nodeId;
  }

  /** The error that stopped the node, if it stopped by itself. */
  get failure(): Error | undefined {
    return this.#loop.failure;
  }

  /** Members with their addresses, ascending. */
  members(): readonly NodeAddress[] {
    return this.#state.members.toRecord().addresses;
  }

  /** The status of the group at this moment, as this node knows it. */
  status(): ClusterStatus {
    return this.#loop.status();
  }

  /** Calls `listener` with every {@link ClusterEvent} from now on, in order, until the returned function is called. `listener` must not throw. */
  on(listener: (event: ClusterEvent) => void): Cancel {
    return this.#loop.observe(listener);
  }

  /** Stops the group on this node and waits for writes under way. Waiting calls reject with NODE_STOPPED. The storage stays open. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  /** The timeout of a call. Deadlines are checked once a tick, so a call with timeout 0 still has until the next tick. */
  #timeout({ timeoutMs = this.#options.limits.defaultTimeoutMs }: CallOptions): number {
    if (timeoutMs >= 0) return timeoutMs;
    throw new RaftError("CONFIG_INVALID", `timeoutMs is ${timeoutMs}. Give a number of milliseconds from 0.`);
  }
}

/** Throws STATE_MISMATCH if the executor's state has commands that the log does not have: they do not belong to the same data. */
function checkStateIsNotAhead(durable: LogIndex, lastIndex: LogIndex): void {
  if (durable <= lastIndex) return;
  throw new RaftError(
    "STATE_MISMATCH",
    `The state has commands up to ${durable}, but the log ends at ${lastIndex}: they are not of one data folder. Restore the whole folder ` +
      "from one backup, or remove the node and let it join again with an empty folder.",
    { details: { durable, lastIndex } },
  );
}
