/**
 * Who sends a snapshot in the leader's place: the leader has enough to do, and its disk and network decide how quick commits are.
 *
 * Role: chooses, and remembers what runs. It talks to nobody.
 */
import type { Progress } from "../../tracker/progress.ts";
import type { LogIndex, NodeId } from "../../types.ts";

/** Snapshots that one member is asked to send at a time; beyond that the leader sends itself. */
const MAX_PER_DELEGATE = 2;

export interface DelegateQuestion {
  /** This node. */
  readonly self: NodeId;
  readonly receiver: NodeId;
  /** A member that has this much is up to date. */
  readonly upTo: LogIndex;
  readonly progress: ReadonlyMap<NodeId, Progress>;
  readonly isHeard: (member: NodeId) => boolean;
  /** Tells groups with the same members apart, so that not all choose alike. */
  readonly salt: number;
}

export class SnapshotDelegates {
  /** How many snapshots each member sends for this node. */
  readonly #load = new Map<NodeId, number>();

  /**
   * The member that should send: live, up to date, of those the least busy; learners first, for no commit waits for them. Undefined
   * when there is none.
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
