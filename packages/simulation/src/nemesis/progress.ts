/**
 * The end of a run: everything is healed that can be, and the cluster must then come to a leader, leave a joint configuration,
 * bring every member up to date, and take a fresh write and a fresh read at each; and everything acknowledged must be there.
 */
import type { ConfState, NodeId } from "@raftoral/raft-core";
import { propose, read } from "../client/client.ts";
import type { Call } from "../client/history.ts";
import { show } from "../invariants/configurations-overlap.ts";
import type { SimNode } from "../node/sim-node.ts";
import { Violation } from "../world/violation.ts";
import type { World } from "../world/world.ts";
import type { Nemesis } from "./nemesis.ts";
import { canProgress, isOutside } from "./quorum-budget.ts";

/** Virtual time that a healed cluster may take. */
const PATIENCE_MS = 120_000;
/** How often it is looked at. */
const GLANCE_MS = 100;
/** Calls that were under way when the cluster was healed have timed out by then, changes of the membership included. */
const CALLS_OVER_MS = 5_000;

/** Heals the world, and resolves once the cluster has made progress. Throws a {@link Violation} when it does not. */
export async function requireProgress(world: World, nemesis: Nemesis): Promise<"progress" | "no-quorum"> {
  nemesis.stop();
  world.network.heal();
  world.isOpen = false;
  for (const node of world.nodes.values()) {
    node.disk.heal();
    node.resume();
    node.start();
  }
  world.trace.tell("HEALED", 0, 0, () => "everything that can be");
  const recovery = new Recovery(world);
  const until = world.now + PATIENCE_MS;
  recovery.glance();
  while (!recovery.isDone && world.now < until && (await world.step()));
  if (recovery.isDone || world.violation !== undefined) return "progress";
  const confState = world.monitor.ledger.latestConfiguration;
  if (confState === undefined || !canProgress(world)) return "no-quorum";
  world.fail(new Violation("no-progress", `${recovery.waitsFor}; ${describe(world, confState)}`));
  return "progress";
}

class Recovery {
  isDone = false;
  waitsFor = "a leader";
  readonly #world: World;
  readonly #since: number;
  /** Members that have taken a write and answered a read since the healing. */
  readonly #proven = new Set<NodeId>();
  readonly #asked = new Set<NodeId>();
  #reading = false;

  constructor(world: World) {
    this.#world = world;
    this.#since = world.now;
  }

  glance(): void {
    this.#look();
    if (!this.isDone) this.#world.after(GLANCE_MS, "glance", 0, undefined, () => this.glance());
  }

  #look(): void {
    for (const node of this.#world.nodes.values()) this.#operate(node);
    const leader = this.#leader();
    if (leader?.observed === undefined) {
      this.waitsFor = "a leader with the latest configuration";
      return;
    }
    const { confState } = leader.observed;
    const members = new Set([...confState.voters, ...confState.votersOutgoing, ...confState.learners]);
    if (confState.votersOutgoing.length > 0) {
      this.waitsFor = "the joint configuration to be left";
      return;
    }
    const running = [...members].flatMap((id) => {
      const node = this.#world.nodes.get(id);
      return node === undefined || node.condition === "lost" ? [] : [node];
    });
    for (const node of running) this.#prove(node);
    const behind = running.filter((node) => {
      const { id, observed } = node;
      if (this.#isOutOfReach(node, leader)) return false;
      return !this.#proven.has(id) || (observed?.appliedIndex ?? 0) < this.#world.monitor.ledger.lastCommitted;
    });
    if (behind.length === 0) this.#readEverything(leader);
    else this.waitsFor = `n${behind.map(({ id }) => id).join(", n")} to write, read and catch up`;
  }

  /**
   * Without pre-vote and check-quorum a member with a later term than the leader's hears nothing of it, and tells it nothing
   * unless it may campaign. It is the group's quorum that must make progress, and those two options that bring back the rest.
   */
  #isOutOfReach({ observed }: SimNode, leader: SimNode): boolean {
    const { preVote, checkQuorum } = this.#world.settings;
    return !preVote && !checkQuorum && (observed?.raft.term ?? 0) > (leader.observed?.raft.term ?? 0);
  }

  /** A leader that knows the latest configuration that anybody applied. */
  #leader(): SimNode | undefined {
    const { configurations } = this.#world.monitor.ledger;
    const since = configurations.at(-1)?.index ?? 0;
    return [...this.#world.nodes.values()].find(({ isResponsive, observed }) => {
      return isResponsive && observed?.raft.role === "StateLeader" && observed.appliedIndex >= since;
    });
  }

  /** Does an operator's work: starts what is down, stops a node that does not belong to the group once no member can add it any more. */
  #operate(node: SimNode): void {
    if (!isOutside(this.#world, node.id)) {
      if (node.condition === "retired" && !node.isStoppedForGood) node.condition = "down";
      node.start();
    } else if (this.#world.now > this.#since + CALLS_OVER_MS) {
      node.retire();
    }
  }

  /** Has a node take a write and answer a read; tries again until it does. */
  #prove(node: SimNode): void {
    if (this.#proven.has(node.id) || this.#asked.has(node.id) || !node.isRunning) return;
    this.#asked.add(node.id);
    const { history } = this.#world;
    const write = history.begin("healed", { kind: "write", value: history.calls.length + 1 });
    propose(node, write, this.#world, { timeoutMs: 2_000, pad: 0 }, () => {
      const after = history.begin("healed", { kind: "read" }, this.#world.settings.staleMs);
      read(node, after, this.#world, 2_000, () => {
        this.#asked.delete(node.id);
        if (write.returnedAt !== undefined && after.returnedAt !== undefined) this.#proven.add(node.id);
      });
    });
  }

  /** One read of every register, which ends its history: what was acknowledged must show. */
  #readEverything(leader: SimNode): void {
    this.waitsFor = "the last reads";
    if (this.#reading) return;
    this.#reading = true;
    const { history, monitor } = this.#world;
    for (const call of history.calls) {
      const isApplied = monitor.invariants.states.indexOf(call.id) !== undefined;
      if (call.returnedAt !== undefined && call.operation.kind !== "read" && !isApplied) {
        this.#world.fail(new Violation("acknowledged-lost", `call #${call.id} was acknowledged and never applied`));
      }
    }
    const calls: Call[] = [...history.byKey().keys()].map((key) => history.begin(key, { kind: "read" }));
    let waiting = calls.length;
    const done = (): void => {
      if (--waiting > 0) return;
      if (calls.every(({ returnedAt }) => returnedAt !== undefined)) this.isDone = true;
      else this.#reading = false;
    };
    if (waiting === 0) this.isDone = true;
    for (const call of calls) read(leader, call, this.#world, 2_000, done);
  }
}

function describe(world: World, confState: ConfState): string {
  const nodes = [...world.nodes.values()].map(({ id, condition, observed }) => {
    if (observed === undefined) return `n${id} ${condition}`;
    const { raft } = observed;
    return `n${id} ${raft.role} term ${raft.term} commit ${raft.log.committed} last ${raft.log.lastIndex()}`;
  });
  return `${show(confState)}; ${nodes.join("; ")}`;
}
