/** Tells a run of bare cores as text that a person can follow: what was done, and what came of it. */
import type { NodeId } from "@raftoral/raft-core";
import { show } from "../invariants/configurations-overlap.ts";
import { describeMessage } from "../network/network.ts";
import { type Action, showChange } from "./action.ts";
import type { CoreGroup } from "./core-group.ts";
import type { CoreNode } from "./core-node.ts";

/** Tells the story of one {@link CoreGroup} line by line. */
export class Narrator {
  readonly #group: CoreGroup;
  readonly #tell: (line: string) => void;
  readonly #known = new Map<NodeId, string>();
  #what = "";

  constructor(group: CoreGroup, tell: (line: string) => void) {
    this.#group = group;
    this.#tell = tell;
  }

  begin(): void {
    const { settings } = this.#group;
    const { preVote, checkQuorum, readOnly, stepDownOnRemoval, electionTicks, maxMessageBytes } = settings.config;
    const { seesEarly, hasDurableState, throughCodec, ticksTogether } = settings;
    const options = {
      preVote,
      checkQuorum,
      stepDownOnRemoval,
      seesEarly,
      hasDurableState,
      throughCodec,
      ticksTogether,
    };
    const on = Object.entries(options).flatMap(([name, isOn]) => (isOn === true ? [name] : []));
    this.#tell(
      `${settings.voters} voters, ${settings.learners} learners, ${settings.isAsync ? "async" : "sync"} writes`,
    );
    this.#tell(
      `election ${electionTicks} ticks, messages ${maxMessageBytes} bytes, reads ${readOnly}, ${on.join(", ")}`,
    );
    this.#seeChanges();
  }

  /** An action is about to be done. */
  about(action: Action): void {
    this.#what = describe(action, this.#group);
  }

  did(action: Action): void {
    this.#tell(this.#what);
    if (action.kind === "crash") this.#known.delete(action.at);
    this.#seeChanges();
  }

  heal(): void {
    this.#tell("everything works from here on");
  }

  /** Tells of every node that has changed. */
  look(): void {
    this.#seeChanges();
  }

  #seeChanges(): void {
    for (const node of this.#group.nodes.values()) {
      if (!node.isUp) continue;
      const state = describeNode(node);
      if (this.#known.get(node.id) !== state) this.#tell(`        ${state}`);
      this.#known.set(node.id, state);
    }
  }
}

function describe({ kind, at, to, amount, change }: Action, group: CoreGroup): string {
  switch (kind) {
    case "deliver":
    case "drop":
    case "repeat": {
      const queue = group.network.between(at, to);
      const underWay = queue[amount % Math.max(1, queue.length)];
      const late = underWay !== undefined && queue[0] !== underWay ? ", out of turn" : "";
      return `${kind.padEnd(8)}${underWay === undefined ? "nothing" : describeMessage(underWay.message)}${late}`;
    }
    case "rest":
      return "everything under way arrives, and what follows from it";
    case "crash":
      return `n${at} crashes; ${amount} of ${group.nodes.get(at)?.disk.writes.length} writes survive at most`;
    case "change":
      return `n${at} proposes ${change === undefined ? "nothing" : showChange(change)}`;
    case "transfer":
      return `n${at} is asked to have n${to} lead`;
    case "unreachable":
      return `n${at} is told that n${to} is unreachable`;
    case "compact":
      return `n${at} takes a snapshot and keeps ${amount} entries`;
    default:
      return `n${at} ${kind}`;
  }
}

function describeNode({ id, incarnation, raft, platter, appliedIndex, confState, disk }: CoreNode): string {
  const { role, term, vote, lead, log } = raft;
  const { hardState, lastIndex } = platter;
  const head = `n${id}.${incarnation} ${role.slice(5)} term ${term} vote n${vote} lead n${lead}`;
  const positions = `log ${log.firstIndex()}..${log.lastIndex()}/${log.lastTerm()} commit ${log.committed}`;
  const stored = `term ${hardState.term} vote n${hardState.vote} last ${lastIndex}/${platter.term(lastIndex)}`;
  const waiting = disk.writes.length > 0 ? ` +${disk.writes.length} writes` : "";
  return `${head}; ${positions} applied ${appliedIndex}; disk: ${stored}${waiting}; ${show(confState)}`;
}
