/**
 * Configurations are a function of the log (thesis §4): at the same applied index every node has the same one, however it came
 * by it, entries or snapshot, and its core counts by that one. And any quorum of one shares a node with any quorum of the next.
 */
import type { ConfState, LogIndex, NodeId } from "@raftoral/raft-core";
import type { Invariant, Report } from "./invariant.ts";
import type { Ledger } from "./ledger.ts";
import { nameOf, type Observed } from "./observed.ts";

/** Checks the configurations of all nodes. */
export class ConfigurationsOverlap implements Invariant {
  readonly name = "configurations";
  readonly #report: Report;
  readonly #ledger: Ledger;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  configured(node: Observed, index: LogIndex, confState: ConfState): void {
    if (index === 0) return;
    const { configurations } = this.#ledger;
    const latest = configurations.at(-1);
    if (latest !== undefined && index <= latest.index) {
      const known = this.#ledger.configurationAt(index);
      if (known !== undefined && !isSame(known, confState)) {
        this.#report(this.name, `${nameOf(node)} has ${show(confState)} at ${index}, elsewhere it is ${show(known)}`);
      }
      return;
    }
    if (latest !== undefined && !overlap(latest.confState, confState)) {
      this.#report(
        this.name,
        `a quorum of ${show(confState)} at ${index} shares no node with ${show(latest.confState)}`,
      );
    }
    configurations.push({ index, confState });
  }

  /** What the core counts by is what the application has, except while a received snapshot waits to be stored. */
  afterEvent(node: Observed): void {
    const { raft, before } = node;
    if (raft.supersededConfState !== undefined) return;
    if (raft.tracker.config === before.config && !before.isSuperseded) return;
    const counted = raft.tracker.confState();
    if (!isSame(counted, node.confState)) {
      const applied = `${show(node.confState)} at ${node.appliedIndex}`;
      this.#report(this.name, `the core of ${nameOf(node)} counts by ${show(counted)}; applied is ${applied}`);
    }
  }
}

/** A configuration as text. */
export function show({ voters, votersOutgoing, learners, learnersNext }: ConfState): string {
  const outgoing = votersOutgoing.length > 0 ? ` outgoing [${votersOutgoing}]` : "";
  const next = learnersNext.length > 0 ? ` next [${learnersNext}]` : "";
  return `voters [${voters}]${outgoing}${learners.length > 0 ? ` learners [${learners}]` : ""}${next}`;
}

function isSame(a: ConfState, b: ConfState): boolean {
  return a.autoLeave === b.autoLeave && show(sorted(a)) === show(sorted(b));
}

function sorted(confState: ConfState): ConfState {
  const ascending = (ids: readonly NodeId[]) => ids.toSorted((a, b) => a - b);
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = confState;
  return {
    voters: ascending(voters),
    votersOutgoing: ascending(votersOutgoing),
    learners: ascending(learners),
    learnersNext: ascending(learnersNext),
    autoLeave,
  };
}

/** Tries every set of nodes: if one is a quorum of `a`, the rest must not be one of `b`. */
function overlap(a: ConfState, b: ConfState): boolean {
  const everyone = [...new Set([...a.voters, ...a.votersOutgoing, ...b.voters, ...b.votersOutgoing])];
  const all = (1 << everyone.length) - 1;
  const halves = ({ voters, votersOutgoing }: ConfState): readonly number[] =>
    [voters, votersOutgoing]
      .filter((half) => half.length > 0)
      .map((half) => half.reduce((bits, id) => bits | (1 << everyone.indexOf(id)), 0));
  const [ofA, ofB] = [halves(a), halves(b)];
  for (let chosen = 0; chosen <= all; chosen++) {
    const isQuorumOf = (bits: number, set: number) => 2 * ones(bits & set) > ones(bits);
    if (ofA.every((half) => isQuorumOf(half, chosen)) && ofB.every((half) => isQuorumOf(half, all & ~chosen))) {
      return false;
    }
  }
  return true;
}

function ones(bits: number): number {
  let left = bits - ((bits >>> 1) & 0x5555_5555);
  left = (left & 0x3333_3333) + ((left >>> 2) & 0x3333_3333);
  return (((left + (left >>> 4)) & 0x0f0f_0f0f) * 0x0101_0101) >>> 24;
}

/** Whether the nodes for which `isIn` holds are a quorum of a configuration, of both halves if it is joint. */
export function isQuorum({ voters, votersOutgoing }: ConfState, isIn: (id: NodeId) => boolean): boolean {
  return [voters, votersOutgoing].every((half) => half.length === 0 || half.filter(isIn).length * 2 > half.length);
}
