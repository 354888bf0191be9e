/**
 * The sending end of coalesced heartbeats to one peer: the groups that this node leads and the peer follows, and which part of that list the
 * peer has acknowledged.
 *
 * When two heartbeats of a group in a row told the same, the next pulse puts the group on the roster. When the peer has answered that
 * pulse, further heartbeats that tell the same need not be sent, because the pulses tell it.
 *
 * Invariants:
 * O1. A pulse lists a group only if the group's core made a heartbeat for the peer since the last pulse, and still leads in the
 *     listed term.
 * O2. A heartbeat is left out only if the roster that the peer has acknowledged tells the same, and the peer still answers.
 * O3. An answer counts for a group like the group's own answer of the listed term, and only once. It counts only if the peer held the
 *     group's present line, and the answer does not except the group.
 * O4. The changes that one pulse carries are bounded, and at most {@link MAX_LISTED_GROUPS} groups are listed.
 */
import type { GroupId, LogIndex, NodeId, Term } from "../../types.ts";
import type { HeartbeatGroup } from "./heartbeat-group.ts";
import { MAX_LISTED_GROUPS, type Pulse, type PulseAnswer, type RosterLine } from "./roster-codec.ts";

/** Lines that may be added or changed before the peer has acknowledged them: about 20 KB. */
const MAX_UNACKNOWLEDGED_LINES = 2_048;

/**
 * Pulses without an answer after which every heartbeat is sent by itself again: the peer may run an older version that does not know pulses.
 * The number is high, because more messages do not help a peer or a network that is only slow.
 */
const MAX_UNANSWERED = 10;

/** A group's line on the roster, and the group's last heartbeat. */
interface Line {
  readonly groupId: GroupId;
  readonly group: HeartbeatGroup;
  /** The listed term; 0 while the group is not listed. */
  term: Term;
  commit: LogIndex;
  /** The version in which the line was changed last. */
  changedIn: number;
  /** Content of the group's last heartbeat, and the number of pulses sent before it. */
  lastTerm: Term;
  lastCommit: LogIndex;
  lastRound: number;
}

/** The roster of this node for one peer. */
export class OutgoingRoster {
  readonly #peer: NodeId;
  readonly #roster: number;
  readonly #lines = new Map<GroupId, Line>();
  /** Lines that changed after the version that the peer acknowledged; each once. */
  #unacknowledged: Line[] = [];
  /** The version of the next pulse if the roster has changed, otherwise of the last one. */
  #version = 1;
  #acknowledged = 0;
  #round = 0;
  #answeredRound = 0;
  #hasChanged = false;

  /** `roster` is the number of this roster, which this node never used before. */
  constructor(peer: NodeId, roster: number) {
    this.#peer = peer;
    this.#roster = roster;
  }

  /** Takes a group's heartbeat for the peer. Returns true if the heartbeat need not be sent (O2). */
  beat(group: HeartbeatGroup, term: Term, commit: LogIndex): boolean {
    const line = this.#lines.get(group.groupId) ?? this.#newLine(group);
    const isStill = line.lastTerm === term && line.lastCommit === commit;
    line.lastTerm = term;
    line.lastCommit = commit;
    line.lastRound = this.#round;
    if (line.term === term && line.commit === commit) return line.changedIn <= this.#acknowledged && this.#isAnswering;
    // A line of this term with a lower commit index does no harm: the follower knows a higher one.
    if (isStill && this.#mayList) {
      this.#change(line, term, commit);
    } else if (line.term !== 0 && line.term !== term) {
      this.#change(line, 0, 0);
    }
    return false;
  }

  /** Records a heartbeat that is sent by itself. It shows that the group still leads (O1). */
  touch(groupId: GroupId): void {
    const line = this.#lines.get(groupId);
    if (line !== undefined) line.lastRound = this.#round;
  }

  /** Takes a closed group off the roster. */
  leave(groupId: GroupId): void {
    const line = this.#lines.get(groupId);
    if (line !== undefined) this.#drop(line);
  }

  /** The pulse to send now; undefined while the roster is empty and has no changes. Call it once in each heartbeat interval. */
  pulse(): Pulse | undefined {
    for (const line of this.#lines.values()) {
      if (line.lastRound !== this.#round || !line.group.leads(line.lastTerm)) this.#drop(line);
    }
    if (this.#lines.size === 0 && this.#unacknowledged.length === 0) return undefined;
    this.#hasChanged = false;
    this.#round++;
    const lines: RosterLine[] = this.#unacknowledged.map(({ groupId, term, commit }) => ({ groupId, term, commit }));
    return { roster: this.#roster, round: this.#round, base: this.#acknowledged, version: this.#version, lines };
  }

  /** Passes an answer on to the groups that it speaks for. Returns false if the peer does not hold the roster; the caller must begin another. */
  answered({ roster, round, version, except }: PulseAnswer): boolean {
    if (roster !== this.#roster || round <= this.#answeredRound || round > this.#round) return true;
    if (version === 0) return false;
    const newest = this.#hasChanged ? this.#version - 1 : this.#version;
    if (version > newest) return true;
    this.#answeredRound = round;
    if (version > this.#acknowledged) {
      this.#acknowledged = version;
      this.#unacknowledged = this.#unacknowledged.filter(({ changedIn }) => changedIn > version);
    }
    const excepted = new Set(except);
    for (const line of this.#lines.values()) {
      if (line.term === 0 || line.changedIn > version || excepted.has(line.groupId)) continue;
      line.group.answered(this.#peer, line.term);
    }
    return true;
  }

  get #isAnswering(): boolean {
    return this.#round - this.#answeredRound <= MAX_UNANSWERED;
  }

  /** Whether a group may be listed. A peer that has never answered may run a version without rosters. */
  get #mayList(): boolean {
    return (
      this.#acknowledged > 0 &&
      this.#unacknowledged.length < MAX_UNACKNOWLEDGED_LINES &&
      this.#lines.size <= MAX_LISTED_GROUPS
    );
  }

  #newLine(group: HeartbeatGroup): Line {
    const { groupId } = group;
    const line = { groupId, group, term: 0, commit: 0, changedIn: 0, lastTerm: 0, lastCommit: 0, lastRound: 0 };
    this.#lines.set(groupId, line);
    return line;
  }

  #drop(line: Line): void {
    this.#lines.delete(line.groupId);
    if (line.term !== 0) this.#change(line, 0, 0);
  }

  #change(line: Line, term: Term, commit: LogIndex): void {
    if (!this.#hasChanged) {
      this.#hasChanged = true;
      this.#version++;
    }
    line.term = term;
    line.commit = commit;
    if (line.changedIn <= this.#acknowledged) this.#unacknowledged.push(line);
    line.changedIn = this.#version;
  }
}
