/**
 * Which members are silent. Counts ticks since each was last heard; the leader reports a member lost after `nodeLostTicks`
 * and returned when it speaks again. It decides nothing about consensus: a wrong report costs a needless takeover, never safety.
 */
import { NONE, type NodeId } from "../../types.ts";

export interface LivenessReport {
  readonly lost: readonly NodeId[];
  readonly returned: readonly NodeId[];
}

const NOTHING: LivenessReport = Object.freeze({ lost: [], returned: [] });

export class Liveness {
  readonly #self: NodeId;
  readonly #lostTicks: number;
  readonly #lastHeard = new Map<NodeId, number>();
  /** Who was heard last, and when: newer than the map. A follower hears one member again and again. */
  #latest: NodeId = NONE;
  #latestAt = 0;
  readonly #lost = new Set<NodeId>();
  #now = 0;

  constructor(self: NodeId, lostTicks: number) {
    this.#self = self;
    this.#lostTicks = lostTicks;
  }

  tick(): void {
    this.#now++;
  }

  heard(member: NodeId): void {
    if (member !== this.#latest) {
      if (this.#latest !== NONE) this.#lastHeard.set(this.#latest, this.#latestAt);
      this.#latest = member;
    }
    this.#latestAt = this.#now;
  }

  /**
   * This node begins to lead. A follower hears only the leader, so everyone's silence begins to count now; the silence of the
   * `previousLeader` is known and counts from when it was last heard.
   */
  startLeading(members: readonly NodeId[], previousLeader: NodeId): void {
    this.#lost.clear();
    for (const member of members) {
      if (member !== previousLeader || previousLeader === NONE || this.#heardAt(member) === undefined)
        this.heard(member);
    }
  }

  /** What changed since the last report, among `members`. To be called on the leader, each tick. */
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

  forget(member: NodeId): void {
    if (member === this.#latest) this.#latest = NONE;
    this.#lastHeard.delete(member);
    this.#lost.delete(member);
  }

  #heardAt(member: NodeId): number | undefined {
    return member === this.#latest ? this.#latestAt : this.#lastHeard.get(member);
  }
}
