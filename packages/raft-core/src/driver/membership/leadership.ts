/**
 * The leader as this node knows it, and, while this node leads, the members that are silent. Tells the executor and the observers.
 */

import type { AnyExecutor } from "../../ports/executor.ts";
import type { Logger } from "../../ports/logger.ts";
import { NONE, type NodeId, type RaftRole, type Term } from "../../types.ts";
import type { Observers } from "../observers.ts";
import { Liveness } from "./liveness.ts";

/** The core's leader, role and term. */
export interface LeaderView {
  readonly lead: NodeId;
  readonly role: RaftRole;
  readonly term: Term;
}

/** Tracks the leader of one group on one node. */
export class Leadership {
  readonly #nodeId: NodeId;
  readonly #executor: Pick<AnyExecutor, "leaderChanged" | "nodeLost" | "nodeReturned">;
  readonly #observers: Pick<Observers, "emit">;
  readonly #logger: Logger;
  readonly #liveness: Liveness;
  #leader: NodeId = NONE;
  /** The last leader that was known. */
  #lastLeader: NodeId = NONE;
  #term: Term = 0;

  constructor(
    nodeId: NodeId,
    lostTicks: number,
    executor: Pick<AnyExecutor, "leaderChanged" | "nodeLost" | "nodeReturned">,
    observers: Pick<Observers, "emit">,
    logger: Logger,
  ) {
    this.#nodeId = nodeId;
    this.#executor = executor;
    this.#observers = observers;
    this.#logger = logger;
    this.#liveness = new Liveness(nodeId, lostTicks);
  }

  /** The leader that this node knows, or NONE. */
  get leader(): NodeId {
    return this.#leader;
  }

  /** Whether this node leads. */
  get isLocal(): boolean {
    return this.#leader === this.#nodeId;
  }

  /** Records that `member` was heard now. */
  heard(member: NodeId): void {
    this.#liveness.heard(member);
  }

  /** Ticks since `member` was last heard; 0 for this node and for members never counted. */
  silentTicks(member: NodeId): number {
    return this.#liveness.silentTicks(member);
  }

  /** Whether the core's leader or term differs from the one last observed. */
  isNews(lead: NodeId, term: Term): boolean {
    return lead !== this.#leader || term !== this.#term;
  }

  /** Takes the core's view. Tells the executor and the observers if leader or term are new. */
  observe({ lead, role, term }: LeaderView, members: readonly NodeId[]): void {
    if (!this.isNews(lead, term)) return;
    const previous = this.#lastLeader;
    this.#leader = lead;
    this.#term = term;
    if (lead !== NONE) this.#lastLeader = lead;
    this.#logger.info({ leader: lead, term, role }, lead === NONE ? "no leader" : "leader known");
    if (this.isLocal) this.#liveness.startLeading(members, previous === this.#nodeId ? NONE : previous);
    this.#executor.leaderChanged?.({ leader: lead, term, isLocal: this.isLocal });
    this.#observers.emit({ type: "leader", leader: lead, term, role });
  }

  /** Lets a tick pass. On the leader, reports members that became silent or came back. */
  tick({ memberIds }: { readonly memberIds: readonly NodeId[] }): void {
    this.#liveness.tick();
    if (!this.isLocal) return;
    const { lost, returned } = this.#liveness.report(memberIds);
    for (const nodeId of lost) {
      this.#logger.warn({ nodeId }, "a member is silent");
      this.#executor.nodeLost?.(nodeId);
      this.#observers.emit({ type: "node-lost", nodeId });
    }
    for (const nodeId of returned) {
      this.#logger.info({ nodeId }, "a member answers again");
      this.#executor.nodeReturned?.(nodeId);
      this.#observers.emit({ type: "node-returned", nodeId });
    }
  }
}
