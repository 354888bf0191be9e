/**
 * The following end of coalesced heartbeats from one peer: what it says that it leads, and who here hears of it.
 *
 * Invariants:
 * I1. A pulse is heard by the groups that its sender's roster had when it left, in the terms that it had, by no others: by those
 *     of the very version that it names, or by none.
 * I2. What comes late or again is not heard.
 * I3. The answer excepts each group that did not take the heartbeat as nothing new.
 */
import type { GroupId, LogIndex, NodeId, Term } from "../../types.ts";
import type { HeartbeatGroup } from "./heartbeat-group.ts";
import { MAX_LISTED_GROUPS, type Pulse, type PulseAnswer } from "./roster-codec.ts";

interface Listed {
  readonly term: Term;
  readonly commit: LogIndex;
}

export class IncomingRoster {
  readonly #peer: NodeId;
  readonly #groupOf: (groupId: GroupId) => HeartbeatGroup | undefined;
  readonly #listed = new Map<GroupId, Listed>();
  #roster = 0;
  #round = 0;
  /** 0: nothing is held. */
  #version = 0;

  /** `groupOf` finds a group of this node. */
  constructor(peer: NodeId, groupOf: (groupId: GroupId) => HeartbeatGroup | undefined) {
    this.#peer = peer;
    this.#groupOf = groupOf;
  }

  /** Tells the groups, and returns what to answer; undefined for a pulse that came late or again (I2). */
  hear(pulse: Pulse): PulseAnswer | undefined {
    const { roster, round, base, version } = pulse;
    if (roster !== this.#roster) this.#clear(roster);
    else if (round <= this.#round) return undefined;
    this.#round = round;
    const follows = base === 0 || (this.#version > 0 && base <= this.#version && this.#version <= version);
    if (follows) this.#update(pulse);
    if (!follows || this.#listed.size > MAX_LISTED_GROUPS) {
      this.#clear(roster);
      this.#round = round;
      return { roster, round, version: 0, except: [] };
    }
    return { roster, round, version, except: this.#tell() };
  }

  #update({ version, lines }: Pulse): void {
    for (const { groupId, term, commit } of lines) {
      if (term === 0) this.#listed.delete(groupId);
      else this.#listed.set(groupId, { term, commit });
    }
    this.#version = version;
  }

  #tell(): GroupId[] {
    const except: GroupId[] = [];
    for (const [groupId, { term, commit }] of this.#listed) {
      if (this.#groupOf(groupId)?.heard(this.#peer, term, commit) !== true) except.push(groupId);
    }
    return except;
  }

  #clear(roster: number): void {
    this.#listed.clear();
    this.#roster = roster;
    this.#round = 0;
    this.#version = 0;
  }
}
