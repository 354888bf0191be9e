/**
 * The end of a run of bare cores: everything works from here on, time passes in even steps, and the group must come to a leader, to
 * one configuration, to a fresh entry and a fresh read of every member, and to a fresh change of the configuration. Between two steps
 * of time it must come to rest.
 */
import { EMPTY_BYTES, type NodeId } from "@raftoral/raft-core";
import type { ConfChangeSingle } from "@raftoral/raft-core/core";
import { show } from "../invariants/configurations-overlap.ts";
import { Violation } from "../world/violation.ts";
import { action } from "./action.ts";
import { MAX_MESSAGES_PER_TICK } from "./come-to-rest.ts";
import type { CoreGroup } from "./core-group.ts";
import type { CoreNode } from "./core-node.ts";
import { membersOf, wasRemoved } from "./members.ts";

/** Steps of time that a group may take, in longest election timeouts. */
const MAX_TIMEOUTS = 60;
/** Numbers of changes that the schedule did not use. */
const FIRST_CHANGE = 1_000;

/** Throws a {@link Violation} when the group does not recover. */
export function requireRecovery(group: CoreGroup): void {
  new Recovery(group).run();
}

class Recovery {
  readonly #group: CoreGroup;
  readonly #retryTicks: number;
  readonly #values = new Map<NodeId, number>();
  readonly #reads = new Map<NodeId, number>();
  #changes = FIRST_CHANGE;
  /** Number of the latest change that was asked for when all else was well. */
  #fresh: number | undefined;
  #tick = 0;

  constructor(group: CoreGroup) {
    this.#group = group;
    this.#retryTicks = 2 * group.settings.config.electionTicks;
  }

  run(): void {
    const maxTicks = MAX_TIMEOUTS * this.#retryTicks;
    let waitsFor: string | undefined = "anything";
    for (; this.#tick < maxTicks && waitsFor !== undefined; this.#tick++) {
      for (const node of this.#group.nodes.values()) node.start();
      this.#step();
      waitsFor = this.#lacks();
    }
    if (waitsFor !== undefined) {
      throw new Violation(
        "no-progress",
        `after ${this.#tick} ticks the group waits for ${waitsFor}; ${this.#describe()}`,
      );
    }
  }

  /** Lets one step of time pass, and everything that follows from it. */
  #step(): void {
    const group = this.#group;
    for (const node of group.nodes.values()) {
      if (group.perform(action("tick", node.id)) && group.settings.ticksTogether) break;
    }
    group.perform(action("rest", 0, { amount: MAX_MESSAGES_PER_TICK }));
  }

  /** What is still to come; does what an operator and the clients do meanwhile. */
  #lacks(): string | undefined {
    const group = this.#group;
    this.#retireTheRemoved();
    const { leader } = group;
    if (leader === undefined) return "a leader";
    const isDue = this.#tick % this.#retryTicks === 0;
    const { confState } = leader;
    if (confState.votersOutgoing.length > 0) {
      if (isDue && !confState.autoLeave) this.#change(leader, []);
      return "the joint configuration to be left";
    }
    const latest = group.ledger.latestConfiguration;
    if (latest === undefined || show(latest) !== show(confState)) return "a leader with the latest configuration";
    const members = membersOf(confState).flatMap((id) => {
      const node = group.nodes.get(id);
      return node === undefined || group.wiped.has(id) ? [] : [node];
    });
    for (const node of members) this.#ask(node, isDue);
    const behind = members.filter(({ appliedIndex }) => appliedIndex < group.ledger.lastCommitted);
    if (behind.length > 0) return `n${behind.map(({ id }) => id).join(", n")} to catch up`;
    const silent = members.filter((node) => !this.#hasWritten(node) || !this.#hasRead(node));
    if (silent.length > 0) return `n${silent.map(({ id }) => id).join(", n")} to write and read`;
    const { reads, postponedReads } = leader.raft;
    if (reads.waiting.length + postponedReads.length > 0) return "old reads to be answered";
    if (this.#fresh !== undefined && group.changes.applied.has(this.#fresh)) return undefined;
    if (this.#fresh === undefined || isDue) {
      this.#fresh = this.#change(leader, [{ type: "UpdateNode", nodeId: leader.id }]);
    }
    return "a change of the configuration";
  }

  /** Returns the number of the change. */
  #change(leader: CoreNode, changes: readonly ConfChangeSingle[]): number {
    this.#group.change(leader, { transition: "Auto", changes, context: EMPTY_BYTES }, ++this.#changes);
    return this.#changes;
  }

  /** Has a member write and read, and does it again when nothing has come of it. */
  #ask(node: CoreNode, isDue: boolean): void {
    const group = this.#group;
    const forwards = group.settings.config.disableProposalForwarding !== true;
    if (!this.#hasWritten(node) && (!this.#values.has(node.id) || isDue)) {
      const value = group.propose(forwards ? node : (group.leader ?? node));
      if (value !== undefined) this.#values.set(node.id, value);
    }
    if (!this.#hasRead(node) && (!this.#reads.has(node.id) || isDue)) this.#reads.set(node.id, group.read(node));
  }

  #hasWritten({ id }: CoreNode): boolean {
    const value = this.#values.get(id);
    return value !== undefined && this.#group.appliedValues.has(value);
  }

  #hasRead({ id }: CoreNode): boolean {
    const asked = this.#reads.get(id);
    return asked !== undefined && (this.#group.confirmedReads.get(id) ?? 0) >= asked;
  }

  /** The operator stops who was removed: at once where the core lets go on without them, and when all know of it elsewhere. */
  #retireTheRemoved(): void {
    const group = this.#group;
    const { configurations, latestConfiguration } = group.ledger;
    if (latestConfiguration === undefined) return;
    const since = configurations.at(-1)?.index ?? 0;
    const knows = (id: NodeId) => group.wiped.has(id) || (group.nodes.get(id)?.appliedIndex ?? 0) >= since;
    const allKnow = membersOf(latestConfiguration).every(knows);
    for (const node of group.nodes.values()) {
      if (node.isRetired || !wasRemoved(group.ledger, node.id)) continue;
      if (allKnow || group.isDispensable(node)) {
        node.crash(0);
        node.isRetired = true;
      }
    }
  }

  #describe(): string {
    const { nodes, ledger } = this.#group;
    const all = [...nodes.values()].map(({ id, isRetired, raft, appliedIndex }) => {
      if (isRetired) return `n${id} stopped`;
      const { term, role, log } = raft;
      return `n${id} ${role} term ${term} commit ${log.committed} applied ${appliedIndex} last ${log.lastIndex()}`;
    });
    const latest = ledger.latestConfiguration;
    return `${latest === undefined ? "no configuration" : show(latest)}; ${all.join("; ")}`;
  }
}
