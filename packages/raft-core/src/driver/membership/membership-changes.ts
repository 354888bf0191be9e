/**
 * Changes of the membership that an application asks for: checked against the configuration in force, carried out through
 * joint consensus (thesis §4.3), and awaited until they are complete.
 *
 * Role: the proposing side of a change. The apply thread carries out the change when its entry is applied (`apply-thread.ts` B3).
 */
import { encodeConfChangeV2 } from "../../eraftpb/conf-change.ts";
import { RaftError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Progress } from "../../tracker/progress.ts";
import { type ConfChangeSingle, type ConfState, NONE, type NodeId } from "../../types.ts";
import { checkConfChange } from "./conf-change.ts";
import { encodeMemberUpdate, type Members } from "./members.ts";

/**
 * A change to one member. Adding a member that is there already, in the same role, only changes its address.
 */
export interface MemberChange {
  readonly type: "AddNode" | "AddLearnerNode" | "RemoveNode";
  readonly nodeId: NodeId;
  /** Address of an added member. */
  readonly address?: string;
  /** Whether the id must be one that no node ever had (false). The change is refused otherwise, also if another node takes the id first. */
  readonly isNew?: boolean;
}

const CHANGE_TYPES: readonly MemberChange["type"][] = ["AddNode", "AddLearnerNode", "RemoveNode"];

/** The parts of the group that changes of the membership use. */
export interface MembershipChangesHost {
  readonly state: {
    readonly confState: ConfState;
    readonly memberIds: readonly NodeId[];
    readonly members: Pick<Members, "refusalOf">;
  };
  readonly clock: Pick<Clock, "monotonicMs" | "after">;
  readonly logger: Logger;
  /** Milliseconds before a change is proposed again that the leader turned down because of another change. */
  readonly retryMs: number;
  /** Throws for an address that the transport cannot use. */
  checkAddress(address: string): void;
  /** The leader that this node knows, or NONE. */
  leader(): NodeId;
  /** Resolves when `to` leads; rejects when it does not take over in time. */
  transferLeadership(to: NodeId, timeoutMs: number): Promise<void>;
  /** Proposes an encoded ConfChangeV2 once. Resolves when it is applied here. */
  propose(change: Uint8Array, timeoutMs: number): Promise<unknown>;
  /** Resolves at once or when `isMet` returns true; rejects with `timeout()` after `deadlineMs`. */
  until(isMet: () => boolean, deadlineMs: number, timeout: () => RaftError): Promise<void>;
  /** The Progress of each member on the leader; empty on other nodes. */
  progress(): ReadonlyMap<NodeId, Progress>;
  /** Whether the group may still need the members that lost their votes by the last change (raft/removal.ts RV1, RV3). */
  needsThoseRemoved(): boolean;
}

/** The changes of the membership that one node proposes to its group. */
export class MembershipChanges {
  readonly #host: MembershipChangesHost;

  constructor(host: MembershipChangesHost) {
    this.#host = host;
  }

  /** Carries out `changes` as one change. Contract and errors are those of `RaftCluster.changeMembership`. */
  async change(changes: readonly MemberChange[], timeoutMs: number): Promise<ConfState> {
    const { state, clock } = this.#host;
    for (const change of changes) this.#check(change);
    const singles: ConfChangeSingle[] = changes.map(({ type, nodeId }) => ({ type, nodeId }));
    const addresses = changes.flatMap(({ nodeId, address }) => (address === undefined ? [] : [{ nodeId, address }]));
    const update = { addresses, newIds: changes.flatMap(({ nodeId, isNew }) => (isNew === true ? [nodeId] : [])) };
    const change = { transition: "Auto" as const, changes: singles, context: encodeMemberUpdate(update) };
    const isJoint = () => state.confState.votersOutgoing.length > 0;
    if (changes.length === 0 && !isJoint()) {
      throw new RaftError("CONF_CHANGE_INVALID", "The list of changes is empty. Give at least one change.");
    }
    const check = (): void => {
      const refusal =
        state.members.refusalOf(state.confState, change, update) ??
        (isJoint() ? undefined : checkConfChange(state.confState, change));
      if (refusal !== undefined) throw refusal;
    };
    check();
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    await this.#moveLeadershipFrom(changes, timeoutMs / 2);
    await this.#propose(encodeConfChangeV2(change), check, deadlineMs);
    await this.#host.until(
      () => !isJoint() && !this.#host.needsThoseRemoved(),
      deadlineMs,
      () =>
        new RaftError(
          "DEADLINE_EXCEEDED",
          `The change is in force but not complete after ${timeoutMs} ms. The leader completes it; read the status to see when.`,
          { retryable: false },
        ),
    );
    return state.confState;
  }

  #check({ type, nodeId, address }: MemberChange): void {
    const { memberIds } = this.#host.state;
    if (address !== undefined) this.#host.checkAddress(address);
    if (!CHANGE_TYPES.includes(type)) {
      throw new RaftError(
        "CONF_CHANGE_INVALID",
        `${type} is no type of change. Use one of ${CHANGE_TYPES.join(", ")}.`,
      );
    }
    if (!Number.isSafeInteger(nodeId) || nodeId <= NONE) {
      throw new RaftError("CONF_CHANGE_INVALID", `${nodeId} is no node id. Give a positive safe integer.`);
    }
    if (type === "RemoveNode" && !memberIds.includes(nodeId)) {
      throw new RaftError("NODE_UNKNOWN", `Node ${nodeId} is no member. Choose one of the members: ${memberIds}.`, {
        details: { members: memberIds },
      });
    }
  }

  /**
   * Hands the leadership to a voter that stays, before the leader is removed. A removed leader takes no proposals until it has
   * stepped down, and then the group has no leader until another is elected.
   */
  async #moveLeadershipFrom(changes: readonly MemberChange[], timeoutMs: number): Promise<void> {
    const leaving = new Set(changes.flatMap(({ type, nodeId }) => (type === "AddNode" ? [] : [nodeId])));
    if (!leaving.has(this.#host.leader())) return;
    const successor = this.#furthestAhead(this.#host.state.confState.voters.filter((nodeId) => !leaving.has(nodeId)));
    if (successor === undefined) return;
    try {
      await this.#host.transferLeadership(successor, timeoutMs);
    } catch (error) {
      this.#host.logger.warn({ err: error, successor }, "the leader is removed without handing over before");
    }
  }

  /** The voter of `voters` with the longest known log. Only the leader knows the logs; any other node returns the first voter. */
  #furthestAhead(voters: readonly NodeId[]): NodeId | undefined {
    const progress = this.#host.progress();
    const rank = (nodeId: NodeId): number => {
      const one = progress.get(nodeId);
      return one?.recentActive === true ? one.match : -1;
    };
    return voters.toSorted((a, b) => rank(b) - rank(a))[0];
  }

  /**
   * Proposes again while the leader turns the change down because of another one (CONF_CHANGE_REFUSED), until the deadline. `check` throws when
   * that other change has made this one impossible.
   */
  async #propose(data: Uint8Array, check: () => void, deadlineMs: number): Promise<void> {
    const { clock, retryMs } = this.#host;
    for (;;) {
      try {
        await this.#host.propose(data, deadlineMs - clock.monotonicMs());
        return;
      } catch (error) {
        const isBusy = error instanceof RaftError && error.code === "CONF_CHANGE_REFUSED";
        if (!isBusy || clock.monotonicMs() >= deadlineMs) throw error;
        await new Promise<void>((resolve) => clock.after(retryMs, resolve));
        check();
      }
    }
  }
}
