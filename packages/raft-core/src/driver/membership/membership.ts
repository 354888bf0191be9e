/**
 * Reports of the membership: the transport learns the members' addresses, executor and observers learn of changes,
 * and the node learns that it was removed.
 *
 * Role: reads the replicated state and tells other parts. It makes no decisions and changes no replicated state.
 */
import type { ConfState, NodeAddress, NodeId } from "../../types.ts";
import type { Observers } from "../observers.ts";
import type { ResolvedOptions } from "../options.ts";
import { learnPeers } from "./learn-peers.ts";

type Options = Pick<ResolvedOptions<never, unknown>, "nodeId" | "groupId" | "transport" | "logger"> & {
  readonly executor: { membersChanged?(members: readonly NodeId[]): void };
};

/** The replicated members of the group. */
export interface MembershipState {
  readonly confState: ConfState;
  readonly memberIds: readonly NodeId[];
  readonly members: {
    readonly highestNodeId: NodeId;
    toRecord(): { readonly addresses: readonly NodeAddress[] };
  };
}

/** The membership of one group, as one node reports it. */
export class Membership {
  readonly #options: Options;
  readonly #state: MembershipState;
  readonly #observers: Pick<Observers, "emit">;
  readonly #isNeeded: () => boolean;
  #isMember: boolean;
  /** Whether this node was removed and the observers have not been told. */
  #removalIsDue = false;

  /** `isNeeded` returns whether the group may still need this node although it was removed. */
  constructor(options: Options, state: MembershipState, observers: Pick<Observers, "emit">, isNeeded: () => boolean) {
    this.#isNeeded = isNeeded;
    this.#options = options;
    this.#state = state;
    this.#observers = observers;
    this.#isMember = this.includes(options.nodeId);
  }

  /** Whether a node is a member. */
  includes(nodeId: NodeId): boolean {
    return this.#state.memberIds.includes(nodeId);
  }

  /** Whether a node was removed. An id up to the highest one that is not a member's was removed, because ids are never used again (members.ts M2). */
  hasRemoved(nodeId: NodeId): boolean {
    return nodeId <= this.#state.members.highestNodeId && !this.includes(nodeId);
  }

  /** Tells the transport the addresses of all members. */
  learnPeers(): void {
    const { transport, logger } = this.#options;
    learnPeers(transport, this.#state.members.toRecord().addresses, logger);
  }

  /** Called when configuration or addresses have changed. Tells transport, executor and observers. */
  changed(): void {
    const { nodeId, executor, transport, logger } = this.#options;
    const { confState, memberIds } = this.#state;
    this.learnPeers();
    logger.info({ confState }, "configuration changed");
    executor.membersChanged?.(memberIds);
    this.#observers.emit({ type: "members", confState, members: this.#state.members.toRecord().addresses });
    transport.membersChanged?.();
    // A node that joins may see configurations from before it was added.
    const wasMember = this.#isMember;
    this.#isMember = this.includes(nodeId);
    if (wasMember && !this.#isMember) this.#removalIsDue = true;
    this.announceRemoval();
  }

  /**
   * Tells the observers that this node was removed, unless the group may still need it. The application stops the node when it hears of the removal,
   * but the other members need a removed leader until enough of them know of the change (raft/removal.ts RV2, RV3). Call it when the
   * leadership or the applied index has changed.
   */
  announceRemoval(): void {
    if (!this.#removalIsDue || this.#isNeeded()) return;
    this.#removalIsDue = false;
    this.#observers.emit({ type: "removed" });
  }

  /**
   * Called when a peer that has applied the removal says that this node was removed. This node's own log may never tell it, because the leader does
   * not send entries to a removed node. The peer's word also tells that the group does not need this node (raft/removal.ts RV3).
   */
  removedSays(peer: NodeId): void {
    if (!this.#isMember && !this.#removalIsDue) return;
    this.#isMember = false;
    this.#removalIsDue = false;
    const { logger, nodeId, groupId } = this.#options;
    logger.error({ nodeId, groupId, by: peer }, "this node was removed from the cluster, a peer says");
    this.#observers.emit({ type: "removed" });
  }
}
