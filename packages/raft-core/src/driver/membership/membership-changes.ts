/**
 * Changes of the membership, as an application asks for them: checked against the configuration in force, carried out through
 * joint consensus (thesis §4.3), awaited until they are complete.
 *
 * Role: the proposing side of a change. What a change does when it is applied is the apply thread's (`apply-thread.ts` B3).
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

/** What changes of the membership need of their group. */
export interface MembershipChangesHost {
  readonly state: {
    readonly confState: ConfState;
    readonly memberIds: readonly NodeId[];
    readonly members: Pick<Members, "refusalOf">;
  };
  readonly clock: Pick<Clock, "monotonicMs" | "after">;
  readonly logger: Logger;
  /** How long to wait before a change is proposed again that the leader was too busy for. */
  readonly retryMs: number;
  /** Throws for an address that the transport cannot use. */
  checkAddress(address: string): void;
  /** NONE when none is known. */
  leader(): NodeId;
  /** Resolves when `to` leads; rejects when it does not take over in time. */
  transferLeadership(to: NodeId, timeoutMs: number): Promise<void>;
  /** Proposes an encoded ConfChangeV2 once. Resolves when it is applied here. */
  propose(change: Uint8Array, timeoutMs: number): Promise<unknown>;
  /** Resolves at once or when `isMet`; rejects with `timeout()` after `deadlineMs`. */
  until(isMet: () => boolean, deadlineMs: number, timeout: () => RaftError): Promise<void>;
  /** On the leader, how far each member is; empty elsewhere. */
  progress(): ReadonlyMap<NodeId, Progress>;
  /** Whether the group may still need the members that the last change took votes from (raft/removal.ts RV1, RV3). */
  needsThoseRemoved(): boolean;
}

/** The changes that one node proposes to its group. */
export class MembershipChanges {
  readonly #host: MembershipChangesHost;

  constructor(host: MembershipChangesHost) {
    this.#host = host;
  }

  /** Carries `changes` out as one; see `RaftCluster.changeMembership`. */
  async change(changes: readonly MemberChange[], timeoutMs: number): Promise<ConfState> {
    const { state, clock } = this.#host;
    for (const change of changes) this.#check(change);
    const singles: ConfChangeSingle[] = changes.map(({ type, nodeId }) => ({ type, nodeId }));
    const addresses = changes.flatMap(({ nodeId, address }) => (address === undefined ? [] : [{ nodeId, address }]));
    const update = { addresses, newIds: changes.flatMap(({ nodeId, isNew }) => (isNew === true ? [nodeId] : [])) };
    const change = { transition: "Auto" as const, changes: singles, context: encodeMemberUpdate(update) };
    const isJoint = () => state.confState.votersOutgoing.length > 0;
    if (changes.length === 0 && !isJoint()) throw new RaftError("CONF_CHANGE_INVALID", "no change was given");
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
          `the change is in force but not complete after ${timeoutMs} ms; it will be`,
          {
            retryable: false,
          },
        ),
    );
    return state.confState;
  }

  #check({ type, nodeId, address }: MemberChange): void {
    const { memberIds } = this.#host.state;
    if (address !== undefined) this.#host.checkAddress(address);
    if (!CHANGE_TYPES.includes(type)) {
      throw new RaftError("CONF_CHANGE_INVALID", `${type} is no type of change; there are ${CHANGE_TYPES.join(", ")}`);
    }
    if (!Number.isSafeInteger(nodeId) || nodeId <= NONE) {
      throw new RaftError("CONF_CHANGE_INVALID", `${nodeId} is no node id; ids are positive safe integers`);
    }
    if (type === "RemoveNode" && !memberIds.includes(nodeId)) {
      throw new RaftError("NODE_UNKNOWN", `node ${nodeId} is no member; members are ${memberIds}`, {
        details: { members: memberIds },
      });
    }
  }

  /**
   * Gives the leadership to a voter that stays, before the leader is removed. A leader that is removed takes no proposals until it has
   * stepped down, and then the group is without a leader until another is elected.
   */
  async #moveLeadershipFrom(changes: readonly MemberChange[], timeoutMs: number): Promise<void> {
    const leaving = new Set(changes.flatMap(({ type, nodeId }) => (type === "AddNode" ? [] : [nodeId])));
    if (!leaving.has(this.#host.leader())) return;
    const successor = this.#furthestAhead(this.#host.state.confState.voters.filter((nodeId) => !leaving.has(nodeId)));
    if (successor === undefined) return;
    try {
      await this.#host.transferLeadership(successor, timeoutMs);
    } catch (error) {
      this.#host.logger.warn({ err: error, successor }, "removing the leader without a transfer before");
    }
  }

  /** Of `voters`, the one that a transfer suits best, as far as this node can tell: only the leader can. */
  #furthestAhead(voters: readonly NodeId[]): NodeId | undefined {
    const progress = this.#host.progress();
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
