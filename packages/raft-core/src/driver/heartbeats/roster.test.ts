import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HeartbeatGroup } from "./heartbeat-group.ts";
import { IncomingRoster } from "./incoming-roster.ts";
import { OutgoingRoster } from "./outgoing-roster.ts";
import {
  decodePulse,
  decodePulseAnswer,
  encodePulse,
  encodePulseAnswer,
  type Pulse,
  type PulseAnswer,
} from "./roster-codec.ts";

const PEER = 7;

/** A group at the leader, with the heartbeat that it would send itself. */
class Leading implements HeartbeatGroup {
  readonly groupId: number;
  term = 1;
  commit = 1;
  isLeading = true;
  answers: string[] = [];
  constructor(groupId: number) {
    this.groupId = groupId;
  }
  leads(term: number): boolean {
    return this.isLeading && this.term === term;
  }
  heard(): boolean {
    throw new Error("a leader hears nothing in this test");
  }
  answered(member: number, term: number): void {
    expect(member).toBe(PEER);
    this.answers.push(`${this.groupId}/${term}`);
  }
}

/** The same group at the peer. */
class Following implements HeartbeatGroup {
  readonly groupId: number;
  takes = true;
  readonly heardNow: string[];
  constructor(groupId: number, heardNow: string[]) {
    this.groupId = groupId;
    this.heardNow = heardNow;
  }
  leads(): boolean {
    return false;
  }
  heard(_leader: number, term: number, commit: number): boolean {
    this.heardNow.push(`${this.groupId}/${term}/${commit}`);
    return this.takes;
  }
  answered(): void {
    throw new Error("a follower is not answered");
  }
}

/** The claims that a pulse may make, from the state of the groups when it was made; and the heartbeats that the roster left out. */
interface Sent {
  readonly pulse: Pulse;
  readonly mayClaim: ReadonlySet<string>;
  readonly leftOut: readonly string[];
}

interface Answered {
  readonly answer: PulseAnswer;
  readonly speaksFor: ReadonlySet<string>;
}

class Model {
  readonly groups = [1, 2, 3, 4].map((groupId) => new Leading(groupId));
  readonly heardNow: string[] = [];
  readonly followers = new Map(this.groups.map(({ groupId }) => [groupId, new Following(groupId, this.heardNow)]));
  readonly sent: Sent[] = [];
  readonly answers: Answered[] = [];
  readonly counted = new Set<string>();
  rosters = 1;
  outgoing = new OutgoingRoster(PEER, this.rosters);
  incoming = this.newIncoming();

  newIncoming(): IncomingRoster {
    return new IncomingRoster(1, (groupId) => this.followers.get(groupId));
  }

  /** Every leading group's heartbeat, then the pulse. */
  round(skip: number): void {
    const leftOut: string[] = [];
    const mayClaim = new Set<string>();
    for (const group of this.groups) {
      const { groupId, term, commit, isLeading } = group;
      if (!isLeading || groupId === skip) continue;
      for (let old = 1; old <= commit; old++) mayClaim.add(`${groupId}/${term}/${old}`);
      if (this.outgoing.beat(group, term, commit)) leftOut.push(`${groupId}/${term}/${commit}`);
    }
    const pulse = this.outgoing.pulse();
    if (pulse === undefined) expect(leftOut).toEqual([]);
    else this.sent.push({ pulse: decodePulse(encodePulse(pulse)), mayClaim, leftOut });
  }

  deliverPulse(at: number): void {
    const sent = this.sent[at % this.sent.length];
    if (sent === undefined) return;
    this.heardNow.length = 0;
    const answer = this.incoming.hear(sent.pulse);
    if (answer === undefined || answer.version === 0) {
      expect(this.heardNow).toEqual([]);
      if (answer === undefined) return;
    } else {
      for (const each of this.heardNow) expect(sent.mayClaim, "I1, O1").toContain(each);
      for (const each of sent.leftOut) expect(this.heardNow, "O2").toContain(each);
    }
    const heard = this.heardNow.map((each) => each.split("/"));
    const taken = heard.filter(([groupId]) => this.followers.get(Number(groupId))?.takes === true);
    const speaksFor = new Set(taken.map(([groupId, term]) => `${groupId}/${term}`));
    this.answers.push({ answer: decodePulseAnswer(encodePulseAnswer(answer)), speaksFor });
  }

  deliverAnswer(at: number): void {
    const answered = this.answers[at % this.answers.length];
    if (answered === undefined) return;
    const { answer, speaksFor } = answered;
    if (!this.outgoing.answered(answer)) this.outgoing = new OutgoingRoster(PEER, ++this.rosters);
    for (const group of this.groups) {
      for (const each of group.answers.splice(0)) {
        expect(speaksFor, "O3").toContain(each);
        const once = `${answer.roster}/${answer.round}/${each}`;
        expect(this.counted.has(once), "O3: once").toBe(false);
        this.counted.add(once);
      }
    }
  }

  step([kind, at]: readonly [number, number]): void {
    const group = this.groups[at % this.groups.length];
    const follower = this.followers.get((at % this.groups.length) + 1);
    if (group === undefined || follower === undefined) throw new Error("four groups");
    if (kind < 30) this.round(kind === 0 ? group.groupId : 0);
    else if (kind < 55) this.deliverPulse(this.sent.length - 1);
    else if (kind < 80) this.deliverAnswer(this.answers.length - 1);
    else if (kind < 83) this.deliverPulse(at);
    else if (kind < 86) this.deliverAnswer(at);
    else if (kind < 89) group.commit++;
    else if (kind < 91) {
      group.term++;
      group.commit++;
    } else if (kind < 93) {
      group.isLeading = !group.isLeading;
      if (group.isLeading) group.term++;
    } else if (kind < 95) follower.takes = !follower.takes;
    else if (kind < 97) this.outgoing.leave(group.groupId);
    else if (kind < 99) this.incoming = this.newIncoming();
    else {
      // The leader's process restarts: it knows nothing of the old one, and leads only in later terms.
      this.outgoing = new OutgoingRoster(PEER, ++this.rosters);
      for (const each of this.groups) each.term++;
    }
  }
}

describe("rosters", () => {
  test("I1, I2, I3, O1, O2, O3: with losses, repeats, delays and changes no group hears anything untrue", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(99), fc.nat(1_000)), { minLength: 50, maxLength: 300 }), (steps) => {
        const model = new Model();
        for (const step of steps) model.step(step);
      }),
      { numRuns: 1_000 },
    );
  });

  test("come to rest: after three rounds that arrive, nothing is said but that nothing has changed", () => {
    const model = new Model();
    const exchange = () => {
      model.round(0);
      model.deliverPulse(model.sent.length - 1);
      model.deliverAnswer(model.answers.length - 1);
      return model.sent.at(-1);
    };
    for (let at = 0; at < 4; at++) exchange();
    const sent = exchange();
    expect(sent?.leftOut.length).toBe(4);
    expect(sent?.pulse.lines).toEqual([]);
    // The peer loses everything, and is sent the roster again.
    model.incoming = model.newIncoming();
    for (let at = 0; at < 5; at++) exchange();
    expect(exchange()?.leftOut.length).toBe(4);
  });

  test("O2: a heartbeat goes by itself until its line is acknowledged, and again when the peer has stopped to answer", () => {
    const outgoing = new OutgoingRoster(PEER, 1);
    const group = new Leading(1);
    const round = (answered: boolean): boolean => {
      const isLeftOut = outgoing.beat(group, group.term, group.commit);
      const pulse = outgoing.pulse();
      if (answered && pulse !== undefined) outgoing.answered({ ...pulse, except: [] });
      return isLeftOut;
    };
    expect([round(true), round(false), round(true), round(true)]).toEqual([false, false, false, true]);
    const unanswered = Array.from({ length: 12 }, () => round(false));
    expect([unanswered.indexOf(false), unanswered.lastIndexOf(true)]).toEqual([11, 10]);
    expect([round(true), round(true)]).toEqual([false, true]);
  });

  test("O4: a peer that does not answer is told a bounded number of changes", () => {
    const groups = Array.from({ length: 5_000 }, (_, at) => new Leading(at + 1));
    const outgoing = new OutgoingRoster(PEER, 1);
    const round = (): Pulse => {
      for (const { groupId, term, commit } of groups) outgoing.beat(groups[groupId - 1] as Leading, term, commit);
      const pulse = outgoing.pulse();
      if (pulse === undefined) throw new Error("groups lead, and nothing is said");
      return pulse;
    };
    const silent = Array.from({ length: 5 }, round);
    expect(silent.map(({ lines }) => lines.length)).toEqual([0, 0, 0, 0, 0]);
    const { roster, round: at, version } = silent[4] as Pulse;
    outgoing.answered({ roster, round: at, version, except: [] });
    expect(Array.from({ length: 5 }, round).map(({ lines }) => lines.length)).toEqual([2048, 2048, 2048, 2048, 2048]);
  });

  test("a peer that is listed more groups than it takes says that it holds none", () => {
    const incoming = new IncomingRoster(1, () => undefined);
    const lines = (from: number) =>
      Array.from({ length: 40_000 }, (_, at) => ({ groupId: from + at, term: 1, commit: 0 }));
    const first = incoming.hear({ roster: 1, round: 1, base: 0, version: 1, lines: lines(1) });
    expect([first?.version, first?.except.length]).toEqual([1, 40_000]);
    expect(incoming.hear({ roster: 1, round: 2, base: 1, version: 2, lines: lines(40_001) })?.version).toBe(0);
  });
});
