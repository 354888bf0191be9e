/**
 * Silent members. Counts ticks since each member was last heard. The leader reports a member as lost after `nodeLostTicks`,
 * and as returned when it is heard again. Consensus does not depend on it: a wrong report causes a needless takeover and does not affect safety.
 */
import { NONE, type NodeId } from "../../types.ts";

/** Members that became silent, and members that are heard again, since the last report. */
export interface LivenessReport {
  readonly lost: readonly NodeId[];
  readonly returned: readonly NodeId[];
}

const NOTHING: LivenessReport = Object.freeze({ lost: [], returned: [] });

/** Counts the silence of the members of one group, in ticks. */
export class Liveness {
  readonly #self: NodeId;
  readonly #lostTicks: number;
  readonly #lastHeard = new Map<NodeId, number>();
  /** The member that was heard last, and when; newer than the map. Saves writes to the map, because a follower hears one member again and again. */
  #latest: NodeId = NONE;
  #latestAt = 0;
  readonly #lost = new Set<NodeId>();
  #now = 0;

  constructor(self: NodeId, lostTicks: number) {
    this.#self = self;
    this.#lostTicks = lostTicks;
  }

  /** Lets a tick pass. */
  tick(): void {
    this.#now++;
  }

  /** Records that `member` was heard now. */
  heard(member: NodeId): void {
    if (member !== this.#latest) {
      if (this.#latest !== NONE) this.#lastHeard.set(this.#latest, this.#latestAt);
      this.#latest = member;
    }
    this.#latestAt = this.#now;
  }

  /**
   * Called when this node begins to lead. A follower hears only the leader, so the silence of the members counts from now. The silence of
   * `previousLeader` is known and counts from when it was last heard.
   */
  startLeading(members: readonly NodeId[], previousLeader: NodeId): void {
    this.#lost.clear();
    for (const member of members) {
      if (member !== previousLeader || previousLeader === NONE || this.#heardAt(member) === undefined)
        this.heard(member);
    }
  }

  /** The changes since the last report among `members`. Call it on the leader, once in each tick. */
  report(members: readonly NodeId[]): LivenessReport {
    let lost: NodeId[] | undefined;
    let returned: NodeId[] | undefined;
    for (const member of members) {
      if (member === this.#self) continue;
      if (this.#heardAt(member) === undefined) this.heard(member);
      const silent = this.silentTicks(member) >= this.#lostTicks;
      if (silent === this.#lost.has(member)) continue;
      if (silent) {
        this.#lost.add(member);
        lost = [...(lost ?? []), member];
      } else {
        this.#lost.delete(member);
        returned = [...(returned ?? []), member];
      }
    }
    return lost === undefined && returned === undefined ? NOTHING : { lost: lost ?? [], returned: returned ?? [] };
  }

  /** Ticks since `member` was last heard; 0 for this node and for members never counted. */
  silentTicks(member: NodeId): number {
    return member === this.#self ? 0 : this.#now - (this.#heardAt(member) ?? this.#now);
  }

  /** Forgets a member. */
  forget(member: NodeId): void {
    if (member === this.#latest) this.#latest = NONE;
    this.#lastHeard.delete(member);
    this.#lost.delete(member);
  }

  #heardAt(member: NodeId): number | undefined {
    return member === this.#latest ? this.#latestAt : this.#lastHeard.get(member);
  }
}
