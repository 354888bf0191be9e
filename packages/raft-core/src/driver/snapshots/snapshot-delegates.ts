/**
 * Delegates: members that send a snapshot in the leader's place. Commits depend on the leader's disk and network, so another member sends the
 * snapshot if one can.
 *
 * Role: chooses a delegate and counts the running transfers. It sends no messages.
 */
import type { Progress } from "../../tracker/progress.ts";
import type { LogIndex, NodeId } from "../../types.ts";

/** Snapshots that one member is asked to send at the same time. Beyond that the leader sends itself. */
const MAX_PER_DELEGATE = 2;

/** The facts by which a delegate is chosen. */
export interface DelegateQuestion {
  /** This node. */
  readonly self: NodeId;
  /** The member that needs the snapshot. */
  readonly receiver: NodeId;
  /** A member whose log matches up to this index is up to date. */
  readonly upTo: LogIndex;
  readonly progress: ReadonlyMap<NodeId, Progress>;
  /** Whether a member was heard recently. */
  readonly isHeard: (member: NodeId) => boolean;
  /** Differs between groups with the same members, so that they choose different delegates. */
  readonly salt: number;
}

/** Chooses delegates for the snapshots of one group. */
export class SnapshotDelegates {
  /** Number of snapshots that each member sends for this node. */
  readonly #load = new Map<NodeId, number>();

  /**
   * The member that should send the snapshot: of the members that are alive and up to date the least busy one, and of several a learner, because no
   * commit waits for learners. Undefined when no member is able.
   */
  choose(question: DelegateQuestion): NodeId | undefined {
    const { self, receiver, upTo, progress, isHeard, salt } = question;
    const able = [...progress].filter(
      ([member, { state, match }]) =>
        member !== self &&
        member !== receiver &&
        state === "StateReplicate" &&
        match >= upTo &&
        isHeard(member) &&
        this.#loadOf(member) < MAX_PER_DELEGATE,
    );
    const rank = ([member, { isLearner }]: readonly [NodeId, Progress]): readonly number[] => [
      this.#loadOf(member),
      isLearner ? 0 : 1,
      (member + salt) % progress.size,
      member,
    ];
    return able.toSorted((a, b) => inOrder(rank(a), rank(b)))[0]?.[0];
  }

  /** Counts one snapshot of `delegate` for as long as `work` takes. */
  async during<Value>(delegate: NodeId, work: () => Promise<Value>): Promise<Value> {
    this.#load.set(delegate, this.#loadOf(delegate) + 1);
    try {
      return await work();
    } finally {
      const left = this.#loadOf(delegate) - 1;
      if (left > 0) this.#load.set(delegate, left);
      else this.#load.delete(delegate);
    }
  }

  #loadOf(member: NodeId): number {
    return this.#load.get(member) ?? 0;
  }
}

function inOrder(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
}
