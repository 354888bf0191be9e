/**
 * The leading end of coalesced heartbeats to one peer: which groups this node leads there, and what of that the peer has taken in.
 *
 * A group gets on the roster once two of its heartbeats in a row said the same, with the next pulse; when the peer has answered that
 * pulse, further heartbeats that say the same need not be sent, for the pulses say it.
 *
 * Invariants:
 * O1. A pulse lists a group only if the group's core made a heartbeat for the peer since the last pulse and leads still, in the
 *     term that is listed.
 * O2. A heartbeat is left out only if the roster that the peer has acknowledged says all that it says, and the peer still answers.
 * O3. An answer counts for a group as much as its own answer of that term would: only if the group stood in what the peer held
 *     as it does now, and is not excepted; and once.
 * O4. The changes that one pulse carries are bounded, and no more groups are listed than {@link MAX_LISTED_GROUPS}.
 */
import type { GroupId, LogIndex, NodeId, Term } from "../../types.ts";
import type { HeartbeatGroup } from "./heartbeat-group.ts";
import { MAX_LISTED_GROUPS, type Pulse, type PulseAnswer, type RosterLine } from "./roster-codec.ts";

/** Groups that may get on the roster, or change their line, before the peer has acknowledged it: some 20 KB. */
const MAX_UNACKNOWLEDGED_LINES = 2_048;

/**
 * Pulses without an answer after which every heartbeat goes by itself again: the peer may have become one that knows none. Many,
 * for a peer or a network that is merely slow is not helped by more messages.
 */
const MAX_UNANSWERED = 10;

/** What the roster says of a group, and what the group said last. */
interface Line {
  readonly groupId: GroupId;
  readonly group: HeartbeatGroup;
  /** 0 while it is not listed. */
  term: Term;
  commit: LogIndex;
  /** The version in which the line was changed last. */
  changedIn: number;
  /** What the last heartbeat said, and the round before which it was made. */
  lastTerm: Term;
  lastCommit: LogIndex;
  lastRound: number;
}

export class OutgoingRoster {
  readonly #peer: NodeId;
  readonly #roster: number;
  readonly #lines = new Map<GroupId, Line>();
  /** Changed after what the peer acknowledged; each once. */
  #unacknowledged: Line[] = [];
  /** The version that the next pulse has if there is a change, the last one's if not. */
  #version = 1;
  #acknowledged = 0;
  #round = 0;
  #answeredRound = 0;
  #hasChanged = false;

  /** `roster` is the number under which it is begun, never used before by this node. */
  constructor(peer: NodeId, roster: number) {
    this.#peer = peer;
    this.#roster = roster;
  }

  /** A group's heartbeat for the peer. True if it need not be sent (O2). */
  beat(group: HeartbeatGroup, term: Term, commit: LogIndex): boolean {
    const line = this.#lines.get(group.groupId) ?? this.#newLine(group);
    const isStill = line.lastTerm === term && line.lastCommit === commit;
    line.lastTerm = term;
    line.lastCommit = commit;
    line.lastRound = this.#round;
    if (line.term === term && line.commit === commit) return line.changedIn <= this.#acknowledged && this.#isAnswering;
    // A lower commit index that is listed of this term does no harm: it is old news.
    if (isStill && this.#mayList) {
      this.#change(line, term, commit);
    } else if (line.term !== 0 && line.term !== term) {
      this.#change(line, 0, 0);
    }
    return false;
  }

  /** A heartbeat for the peer that says more than the roster can: it shows all the same that the group leads. */
  touch(groupId: GroupId): void {
    const line = this.#lines.get(groupId);
    if (line !== undefined) line.lastRound = this.#round;
  }

  /** The group is closed: nothing is said of it any more. */
  leave(groupId: GroupId): void {
    const line = this.#lines.get(groupId);
    if (line !== undefined) this.#drop(line);
  }

  /** What is to be sent now; undefined while there is nothing to say. To be called once in a heartbeat's interval. */
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

  /** Passes the answer on to the groups that it speaks for. False if the peer has lost the roster: begin another. */
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

  /** A peer that has never answered may not know of rosters at all. */
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
