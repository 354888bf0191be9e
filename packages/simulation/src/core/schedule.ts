/**
 * Chooses what a group of bare cores does next. Mostly at random, but not blindly: disks stall and nodes are cut off for a while,
 * so that some fall behind and others decide without them; and a node that has just come to a state which lasts only as long as a
 * flush or a round trip often crashes right there, and stands for election again before the others have noticed.
 */
import { type ConfState, EMPTY_BYTES, type NodeId } from "@raftoral/raft-core";
import type { ConfChangeSingle, ConfChangeTransition, ConfChangeV2 } from "@raftoral/raft-core/core";
import { leadsWithoutVote } from "../invariants/observed.ts";
import type { Random } from "../world/random.ts";
import { type Action, type ActionKind, action } from "./action.ts";
import { MAX_MESSAGES_PER_TICK } from "./come-to-rest.ts";
import type { CoreGroup } from "./core-group.ts";
import type { CoreNode } from "./core-node.ts";

/** Actions after which new disks and links are drawn. */
const PHASE_ACTIONS = 30;
const MAX_VOTERS = 5;
const MAX_NODES = 8;

/** How often each kind of action comes, relative to the others. */
const WEIGHTS: readonly (readonly [ActionKind, number])[] = [
  ["deliver", 100],
  ["tick", 14],
  ["write", 12],
  ["apply", 5],
  ["turn", 5],
  ["propose", 10],
  ["start", 8],
  ["drop", 4],
  ["repeat", 6],
  ["read", 5],
  ["change", 5],
  ["campaign", 2],
  ["transfer", 3],
  ["compact", 4],
  ["crash", 3],
  ["rest", 2],
  ["propose-two", 1],
  ["retire", 2],
  ["unreachable", 1],
  ["forget-leader", 1],
  ["wipe", 1],
];
const TOTAL = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);
/** Of the things that only a leader can bring about, how many are asked for when there is none. */
const ASKED_OF_NOBODY = 0.05;

/** Chooses the actions of one run. */
export class Schedule {
  readonly #group: CoreGroup;
  readonly #random: Random;
  /** What is to come next, whatever else might. */
  readonly #planned: Action[] = [];
  /** Nodes whose disks stall. */
  #stalled = new Set<NodeId>();
  /** Nodes that nothing reaches and that reach no other node. */
  #cutOff = new Set<NodeId>();
  #actions = 0;
  #changes = 0;

  constructor(group: CoreGroup, random: Random) {
    this.#group = group;
    this.#random = random;
    // Most groups have a leader and something in their logs before anything goes wrong.
    if (!random.chance(0.8)) return;
    const first = random.whole(1, group.settings.voters);
    const rest = action("rest", 0, { amount: MAX_MESSAGES_PER_TICK });
    this.#planned.push(action("campaign", first), rest);
    for (let more = random.below(3); more > 0; more--) this.#planned.push(action("propose", first));
    this.#planned.push(rest);
  }

  /** The next action; undefined when the one that was drawn cannot be done to anybody now. */
  next(): Action | undefined {
    if (this.#actions++ % PHASE_ACTIONS === PHASE_ACTIONS / 2) this.#drawPhase();
    return this.#planned.shift() ?? this.#draw();
  }

  /** An action was done. Plans what follows from it. */
  did({ kind, at, to }: Action): void {
    if (kind === "rest") return;
    const node = this.#group.nodes.get(kind === "deliver" || kind === "repeat" ? to : at);
    if (node?.isUp !== true) {
      if (kind === "crash" && this.#random.chance(0.5)) this.#comesBack(at);
      return;
    }
    if (node.saysThatItIsRemoved && this.#random.chance(0.7)) {
      this.#planned.push(action("retire", node.id));
      return;
    }
    if (leadsWithoutVote(node) && this.#random.chance(0.2)) this.#cutOffInOffice(node);
    if (kind === "settle" || this.#tempts(node)) return;
    if (kind === "turn" || kind === "write" || kind === "apply") return;
    if (!this.#stalled.has(node.id)) this.#planned.push(action("settle", node.id));
    else if (this.#random.chance(0.8)) this.#planned.push(action("turn", node.id));
  }

  #drawPhase(): void {
    const random = this.#random;
    const ids = [...this.#group.nodes.keys()];
    this.#stalled = new Set(ids.filter(() => random.chance(0.35)));
    this.#cutOff = new Set(random.chance(0.4) ? ids.filter(() => random.chance(0.3)) : []);
  }

  /** A leader that the others still need is cut off, until it gives up its office or another stands. */
  #cutOffInOffice({ id }: CoreNode): void {
    this.#cutOff.add(id);
    const { electionTicks } = this.#group.settings.config;
    for (let more = this.#random.below(3 * electionTicks); more > 0; more--) this.#planned.push(action("tick", id));
    const others = [...this.#group.nodes.values()].filter((node) => node.isUp && node.id !== id);
    const other = this.#random.chance(0.5) ? this.#random.pick(others) : undefined;
    if (other !== undefined) this.#planned.push(action("campaign", other.id), action("settle", other.id));
  }

  /** A node is back at once, and perhaps stands for election. */
  #comesBack(id: NodeId): void {
    this.#planned.push(action("start", id));
    if (this.#random.chance(0.5)) this.#planned.push(action("campaign", id));
  }

  /** Whether a node is in a state that a crash is planned for. */
  #tempts(node: CoreNode): boolean {
    const probability = temptationOf(node);
    if (probability === 0 || !this.#random.chance(probability)) return false;
    // First, perhaps, it stands for election, and what it has to say leaves.
    const { role, log } = node.raft;
    const mayStand = role === "StateFollower" && node.platter.lastIndex < log.lastIndex();
    if (mayStand && this.#random.chance(0.7)) this.#planned.push(action("campaign", node.id), action("turn", node.id));
    else if (this.#random.chance(0.5)) this.#planned.push(action("turn", node.id));
    for (let more = this.#random.below(3); more > 0; more--) {
      const arrival = this.#drawArrival("deliver", node.id);
      if (arrival !== undefined) this.#planned.push(arrival);
    }
    this.#planned.push(action("crash", node.id, { amount: this.#random.oneOf(0, 0, 1, 9) }));
    return true;
  }

  #drawKind(): ActionKind {
    let at = this.#random.below(TOTAL);
    for (const [kind, weight] of WEIGHTS) {
      at -= weight;
      if (at < 0) return kind;
    }
    return "tick";
  }

  #draw(): Action | undefined {
    const random = this.#random;
    const kind = this.#drawKind();
    if (kind === "deliver" || kind === "drop" || kind === "repeat") return this.#drawArrival(kind);
    if (kind === "rest") return action(kind, 0, { amount: MAX_MESSAGES_PER_TICK });
    const node = random.pick([...this.#group.nodes.values()]);
    if (node === undefined || node.isRetired) return undefined;
    if (kind === "start") return this.#drawStart();
    if (!node.isUp) return undefined;
    if (isForLeaders(kind) && this.#group.leader === undefined && !random.chance(ASKED_OF_NOBODY)) return undefined;
    switch (kind) {
      case "tick":
        // A leader's time passes more often, so that it is followed.
        return action(kind, random.chance(0.5) ? this.#towardsLeader(node) : node.id);
      case "write":
      case "apply":
      case "turn":
        return node.isBusy ? action(kind, node.id) : undefined;
      case "propose":
        return action(kind, this.#towardsLeader(node), { amount: random.oneOf(0, 0, 2, 20) });
      case "change":
        return this.#drawChange(node);
      case "transfer":
        return action(kind, this.#towardsLeader(node), { to: this.#anyNode() });
      case "read":
        return action(kind, this.#towardsLeader(node));
      case "crash":
        return action(kind, node.id, { amount: random.oneOf(0, 0, 1, 2, 9) });
      case "compact":
        return action(kind, node.id, { amount: random.oneOf(0, 0, 2) });
      case "unreachable":
        return action(kind, node.id, { to: this.#anyNode() });
      default:
        return action(kind, node.id);
    }
  }

  #drawStart(): Action | undefined {
    const down = [...this.#group.nodes.values()].filter(({ isUp, isRetired }) => !isUp && !isRetired);
    const node = this.#random.pick(down);
    return node === undefined ? undefined : action("start", node.id);
  }

  #drawArrival(kind: "deliver" | "drop" | "repeat", only?: NodeId): Action | undefined {
    const random = this.#random;
    const { busy } = this.#group.network;
    // A few tries: most directions lead somewhere.
    for (let tries = 0; tries < 3; tries++) {
      const key = random.pick(busy);
      if (key === undefined) return undefined;
      const [from, to] = [Math.floor(key / 64), key % 64];
      if (only !== undefined && to !== only) continue;
      if (kind === "deliver" && this.#group.nodes.get(to)?.isUp !== true) continue;
      const isCut = this.#cutOff.has(from) || this.#cutOff.has(to);
      // Some of what was cut off is kept, and comes late.
      if (isCut && kind === "deliver" && random.chance(0.3)) return action("drop", from, { to, amount: 0 });
      if (isCut) continue;
      const place = random.chance(0.8) ? 0 : random.below(this.#group.network.lengthOf(from, to));
      return action(kind, from, { to, amount: place });
    }
    return undefined;
  }

  /** Mostly where it leads to something. */
  #towardsLeader(node: CoreNode): NodeId {
    return this.#random.chance(0.6) ? (this.#group.leader?.id ?? node.id) : node.id;
  }

  #anyNode(): NodeId {
    return this.#random.pick([...this.#group.nodes.keys()]) ?? 1;
  }

  #drawChange(node: CoreNode): Action | undefined {
    const proposer = this.#group.nodes.get(this.#towardsLeader(node)) ?? node;
    const change = drawChange(this.#random, proposer.confState, this.#group);
    return action("change", proposer.id, { change, amount: ++this.#changes });
  }
}

function isForLeaders(kind: ActionKind): boolean {
  return kind === "propose" || kind === "propose-two" || kind === "change" || kind === "transfer" || kind === "read";
}

/** How much a crash is wanted now: most where the state is the shortest. */
function temptationOf({ raft, platter, id }: CoreNode): number {
  const { hardState } = platter;
  const lacksEntries = platter.lastIndex < raft.log.lastIndex();
  if (raft.vote !== 0 && (hardState.term !== raft.term || hardState.vote !== raft.vote)) {
    if (raft.vote !== id) return 0.08;
    // What others answer now is for a log and a term that it may have lost.
    return lacksEntries ? 0.6 : 0.2;
  }
  if (raft.role === "StateCandidate") return 0.06;
  if (raft.log.unstable.snapshot !== undefined) return 0.1;
  if (raft.role === "StateLeader") {
    if (raft.log.termOrZero(raft.log.committed) !== raft.term) return 0.05;
    if (raft.lossOfVotesAt > raft.log.committed) return 0.08;
    if (raft.leadTransferee !== 0) return 0.05;
  }
  if (raft.tracker.config.voters.isJoint) return 0.03;
  return lacksEntries ? 0.03 : 0;
}

function drawChange(random: Random, confState: ConfState, group: CoreGroup): ConfChangeV2 {
  const { voters, learners, votersOutgoing } = confState;
  if (votersOutgoing.length > 0 && random.chance(0.8)) return { transition: "Auto", changes: [], context: EMPTY_BYTES };
  const highest = Math.max(...group.nodes.keys());
  let used = 0;
  const fresh = (): NodeId => (highest + used < MAX_NODES ? highest + ++used : (random.pick(learners) ?? highest));
  const member = (): NodeId => random.pick([...voters, ...learners]) ?? 1;
  const joining = (): NodeId => (voters.length < MAX_VOTERS ? fresh() : member());
  const one = (): ConfChangeSingle => {
    switch (random.below(7)) {
      case 0:
        return { type: "AddNode", nodeId: joining() };
      case 1:
        return { type: "AddNode", nodeId: random.pick(learners) ?? joining() };
      case 2:
        return { type: "AddLearnerNode", nodeId: fresh() };
      case 3:
        return { type: "AddLearnerNode", nodeId: member() };
      case 4:
        return { type: "RemoveNode", nodeId: group.leader?.id ?? member() };
      case 5:
        return { type: "RemoveNode", nodeId: member() };
      default:
        return { type: "UpdateNode", nodeId: member() };
    }
  };
  const count = random.oneOf(1, 1, 1, 2, 2, 3);
  const transition: ConfChangeTransition = random.oneOf("Auto", "Auto", "Auto", "Implicit", "Explicit");
  return { transition, changes: Array.from({ length: count }, one), context: EMPTY_BYTES };
}
