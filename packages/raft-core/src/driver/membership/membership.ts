/**
 * What follows from who belongs to the group: the transport learns where members are, executor and observers hear of changes,
 * and a node notices that it is a member no more.
 *
 * Role: reads the replicated state and tells others. It decides nothing and changes no state.
 */
import type { ConfState, NodeAddress, NodeId } from "../../types.ts";
import type { Observers } from "../observers.ts";
import type { ResolvedOptions } from "../options.ts";
import { learnPeers } from "./learn-peers.ts";

type Options = Pick<ResolvedOptions<never, unknown>, "nodeId" | "groupId" | "transport" | "logger"> & {
  readonly executor: { membersChanged?(members: readonly NodeId[]): void };
};

/** Who belongs to the group, as it is replicated. */
export interface MembershipState {
  readonly confState: ConfState;
  readonly memberIds: readonly NodeId[];
  readonly members: {
    readonly highestNodeId: NodeId;
    toRecord(): { readonly addresses: readonly NodeAddress[] };
  };
}

export class Membership {
  readonly #options: Options;
  readonly #state: MembershipState;
  readonly #observers: Pick<Observers, "emit">;
  readonly #isNeeded: () => boolean;
  #isMember: boolean;
  /** This node was removed, and the observers have not been told. */
  #removalIsDue = false;

  /** `isNeeded`: whether the others may need this node although it was removed. */
  constructor(options: Options, state: MembershipState, observers: Pick<Observers, "emit">, isNeeded: () => boolean) {
    this.#isNeeded = isNeeded;
    this.#options = options;
    this.#state = state;
    this.#observers = observers;
    this.#isMember = this.includes(options.nodeId);
  }

  includes(nodeId: NodeId): boolean {
    return this.#state.memberIds.includes(nodeId);
  }

  /** Whether a node was a member once and is not any more: ids are never given twice (M2). */
  hasRemoved(nodeId: NodeId): boolean {
    return nodeId <= this.#state.members.highestNodeId && !this.includes(nodeId);
  }

  /** Tells the transport where all members are. */
  learnPeers(): void {
    const { transport, logger } = this.#options;
    learnPeers(transport, this.#state.members.toRecord().addresses, logger);
  }

  /** The state has another configuration, or other addresses. */
  changed(): void {
    const { nodeId, executor, transport, logger } = this.#options;
    const { confState, memberIds } = this.#state;
    this.learnPeers();
    logger.info({ confState }, "configuration changed");
    executor.membersChanged?.(memberIds);
    this.#observers.emit({ type: "members", confState, members: this.#state.members.toRecord().addresses });
    transport.membersChanged?.();
    // A node that joins may see configurations from before its time.
    const wasMember = this.#isMember;
    this.#isMember = this.includes(nodeId);
    if (wasMember && !this.#isMember) this.#removalIsDue = true;
    this.announceRemoval();
  }

  /**
   * Tells the observers that this node was removed, unless the others may need it: whoever hears of it stops the node, and the other members
   * need a leader that was removed until its change is known to enough of them (raft/removal.ts RV2, RV3). To be called when the
   * leadership, or what is applied, has changed.
   */
  announceRemoval(): void {
    if (!this.#removalIsDue || this.#isNeeded()) return;
    this.#removalIsDue = false;
    this.#observers.emit({ type: "removed" });
  }

  /**
   * A peer says that this node was removed, and has applied that. Its own log may never say so: nobody sends it anything any more. Nor may it
   * hear from its log that it is not needed (RV3).
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
