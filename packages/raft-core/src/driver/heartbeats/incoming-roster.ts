/**
 * The receiving end of coalesced heartbeats from one peer: the groups that the peer says it leads. Passes each pulse on to these groups.
 *
 * Invariants:
 * I1. A pulse reaches exactly the groups that were on its sender's roster when it was sent, in the terms listed then: the groups of the
 *     version that the pulse names, or none.
 * I2. A late or repeated pulse reaches no group.
 * I3. The answer excepts each group to which the heartbeat told something new.
 */
import type { GroupId, LogIndex, NodeId, Term } from "../../types.ts";
import type { HeartbeatGroup } from "./heartbeat-group.ts";
import { MAX_LISTED_GROUPS, type Pulse, type PulseAnswer } from "./roster-codec.ts";

interface Listed {
  readonly term: Term;
  readonly commit: LogIndex;
}

/** The roster of one peer, as far as this node has received it. */
export class IncomingRoster {
  readonly #peer: NodeId;
  readonly #groupOf: (groupId: GroupId) => HeartbeatGroup | undefined;
  readonly #listed = new Map<GroupId, Listed>();
  #roster = 0;
  #round = 0;
  /** Version of the roster that this node holds; 0 for none. */
  #version = 0;

  /** `groupOf` finds a group of this node. */
  constructor(peer: NodeId, groupOf: (groupId: GroupId) => HeartbeatGroup | undefined) {
    this.#peer = peer;
    this.#groupOf = groupOf;
  }

  /** Passes a pulse on to the groups and returns the answer. Undefined for a late or repeated pulse (I2). */
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
