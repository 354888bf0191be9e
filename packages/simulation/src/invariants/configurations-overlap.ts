/**
 * Configurations are a function of the log (thesis §4): at the same applied index every node has the same one, however it came
 * by it, entries or snapshot. And any quorum of one shares a node with any quorum of the next.
 */
import type { ConfState, LogIndex, NodeId } from "@raftoral/raft-core";
import type { ObservedNode } from "../node/observed-node.ts";
import type { Invariant, Report } from "./invariant.ts";
import type { Ledger } from "./ledger.ts";

export class ConfigurationsOverlap implements Invariant {
  readonly name = "configurations";
  readonly #report: Report;
  readonly #ledger: Ledger;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  configured({ id }: ObservedNode, index: LogIndex, confState: ConfState): void {
    if (index === 0) return;
    const { configurations } = this.#ledger;
    const latest = configurations.at(-1);
    if (latest !== undefined && index <= latest.index) {
      const known = this.#ledger.configurationAt(index);
      if (known !== undefined && !isSame(known, confState)) {
        this.#report(this.name, `n${id} has ${show(confState)} at ${index}, elsewhere it is ${show(known)}`);
      }
      return;
    }
    if (latest !== undefined && !overlap(latest.confState, confState)) {
      this.#report(
        this.name,
        `a quorum of ${show(confState)} at ${index} shares nobody with ${show(latest.confState)}`,
      );
    }
    configurations.push({ index, confState });
  }
}

export function show({ voters, votersOutgoing, learners, learnersNext }: ConfState): string {
  const outgoing = votersOutgoing.length > 0 ? ` outgoing [${votersOutgoing}]` : "";
  const next = learnersNext.length > 0 ? ` next [${learnersNext}]` : "";
  return `voters [${voters}]${outgoing}${learners.length > 0 ? ` learners [${learners}]` : ""}${next}`;
}

function isSame(a: ConfState, b: ConfState): boolean {
  return show(sorted(a)) === show(sorted(b));
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
  for (let chosen = 0; chosen < 1 << everyone.length; chosen++) {
    const isIn = (id: NodeId) => (chosen & (1 << everyone.indexOf(id))) !== 0;
    if (isQuorum(a, isIn) && isQuorum(b, (id) => !isIn(id))) return false;
  }
  return true;
}

export function isQuorum({ voters, votersOutgoing }: ConfState, isIn: (id: NodeId) => boolean): boolean {
  return [voters, votersOutgoing].every((half) => half.length === 0 || half.filter(isIn).length * 2 > half.length);
}
