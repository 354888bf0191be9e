/**
 * Crashes, and cut links, that do not come at just any moment. A trap waits until some process is in a state that lasts only as long as a
 * flush or a round trip, and crashes it then, or a moment later, or cuts it off. What leads to that state is helped along: a disk that stalls, a campaign, a
 * hand-over of leadership, a change of the configuration. The node is back soon, while what others have sent to its former
 * process is still under way, and may stand for election at once.
 */
import type { NodeId } from "@raftoral/raft-core";
import { leadsWithoutVote, type Observed } from "../invariants/observed.ts";
import type { SimNode } from "../node/sim-node.ts";
import type { Trap } from "../world/world.ts";
import type { Fault, FaultContext, Injected } from "./fault.ts";
import { changeSomething, changeVotersTogether, removeOne, TIMEOUT_MS } from "./operations.ts";

interface TrapKind {
  readonly kind: string;
  readonly weight: number;
  /** Helps the state along, and says whom to watch: one node, or any if it is undefined. "nowhere" when it cannot be done. */
  prepare?(context: FaultContext): SimNode | undefined | "nowhere";
  /** Whether a process is in the state. */
  isIn(node: Observed, context: FaultContext): boolean;
  /** How long after that it crashes, in milliseconds: one of these at most. */
  readonly patienceMs?: readonly [number, ...number[]];
  /** How long it is down, or cut off: one of these. */
  readonly downMs?: readonly [number, ...number[]];
  /** It is cut off from all others instead of crashing. */
  readonly isCutOff?: true;
}

const DOWN_MS: readonly [number, ...number[]] = [0.1, 5, 50, 800];
const PATIENCE_MS: readonly [number, ...number[]] = [0, 0, 2, 20, 200];
/** How long a flush takes on a disk that stalls, at most, and what its quick neighbours do in that time: several elections. */
const STALL_MS: readonly [number, number] = [30, 400];
const HEARS_LATE_FOR_MS = 1_500;
const ignore = (): void => {};

const isTermUnwritten = ({ raft, platter: { hardState } }: Observed): boolean =>
  hardState.term < raft.term || hardState.vote !== raft.vote;

function running({ world }: FaultContext): SimNode[] {
  return [...world.nodes.values()].filter((node) => node.isResponsive);
}

function leaderOf(context: FaultContext): SimNode | undefined {
  return running(context).find((node) => node.observed?.raft.role === "StateLeader");
}

function stall({ random }: FaultContext, node: SimNode): void {
  const ms = random.between(STALL_MS[0], STALL_MS[1]);
  node.disk.flushMs = [ms / 2, ms];
}

function campaign(node: SimNode): void {
  if (node.cluster?.failure === undefined) node.cluster?.campaign();
}

/** A node that does not lead, whose disk stalls, is to lead. */
function candidateWithStalledDisk(context: FaultContext, isAsked: boolean): SimNode | "nowhere" {
  const leader = leaderOf(context);
  const node = context.random.pick(running(context).filter((one) => one !== leader));
  if (node === undefined) return "nowhere";
  stall(context, node);
  if (isAsked && leader !== undefined) {
    leader.cluster?.transferLeadership(node.id, { timeoutMs: TIMEOUT_MS }).then(ignore, ignore);
  } else {
    campaign(node);
  }
  return node;
}

/** The others reach it late and its disk stalls. It stands as soon as it has entries that its disk has not. */
function candidateThatHearsLate(context: FaultContext): SimNode | "nowhere" {
  const { world, random } = context;
  const leader = leaderOf(context);
  const node = random.pick(running(context).filter((one) => one !== leader));
  if (node === undefined) return "nowhere";
  stall(context, node);
  const lateMs = random.between(20, 250);
  const others = [...world.nodes.keys()].filter((id) => id !== node.id);
  for (const id of others) world.network.slowDown(id, node.id, lateMs);
  const lure: Trap = (one, { raft, platter }) => {
    if (one !== node || raft.role !== "StateFollower" || platter.lastIndex >= raft.log.lastIndex()) return;
    world.traps.delete(lure);
    world.after(0, "nemesis", 0, undefined, () => campaign(node));
  };
  world.traps.add(lure);
  world.after(HEARS_LATE_FOR_MS, "nemesis", 0, undefined, () => {
    world.traps.delete(lure);
    for (const id of others) world.network.slowDown(id, node.id, 0);
  });
  return node;
}

/** Its removal, or its demotion, is asked for while another one leads, for no leader hands over for it then; and it stands for election. */
function leaderToBeWithoutVote(context: FaultContext): SimNode | "nowhere" {
  const leader = leaderOf(context);
  const node = context.random.pick(running(context).filter((one) => one !== leader));
  if (node === undefined || removeOne(context, node.id) === undefined) return "nowhere";
  const { world, random } = context;
  world.after(random.between(0, 20), "nemesis", 0, undefined, () => campaign(node));
  return node;
}

const TRAPS: readonly TrapKind[] = [
  {
    kind: "trap-candidate",
    weight: 3,
    prepare: (context) => candidateWithStalledDisk(context, false),
    isIn: (node) => node.raft.role !== "StateFollower" && node.raft.vote === node.id && isTermUnwritten(node),
  },
  {
    kind: "trap-transferee",
    weight: 4,
    prepare: (context) => candidateWithStalledDisk(context, true),
    isIn: (node) => node.raft.role !== "StateFollower" && node.raft.vote === node.id && isTermUnwritten(node),
  },
  {
    // Elected while its disk stalls, it crashes when some have heard of it and others have not.
    kind: "trap-elected",
    weight: 4,
    prepare: (context) => candidateWithStalledDisk(context, context.random.chance(0.5)),
    isIn: ({ raft }) => raft.role === "StateLeader" && raft.log.termOrZero(raft.log.committed) !== raft.term,
    patienceMs: [0, 2, 20],
  },
  {
    // It stands with entries that its disk has not, and crashes; the answers come when it stands again.
    kind: "trap-late-grants",
    weight: 4,
    prepare: candidateThatHearsLate,
    isIn: ({ raft }) => raft.role === "StateCandidate",
    patienceMs: [0, 1],
    downMs: [0.1, 5],
  },
  {
    kind: "trap-voter",
    weight: 2,
    prepare: (context) => {
      const [voter, candidate] = context.random.shuffled(running(context));
      if (voter === undefined || candidate === undefined) return "nowhere";
      stall(context, voter);
      campaign(candidate);
      return voter;
    },
    isIn: (node) => node.raft.vote !== 0 && node.raft.vote !== node.id && isTermUnwritten(node),
  },
  {
    kind: "trap-asking",
    weight: 2,
    prepare: (context) => {
      const node = context.random.pick(running(context));
      if (node === undefined) return "nowhere";
      campaign(node);
      return node;
    },
    isIn: (node) => node.raft.role === "StateCandidate" && !isTermUnwritten(node),
  },
  {
    kind: "trap-new-leader",
    weight: 2,
    isIn: ({ raft }) => raft.role === "StateLeader" && raft.log.termOrZero(raft.log.committed) !== raft.term,
  },
  {
    kind: "trap-leader-disk",
    weight: 2,
    prepare: (context) => {
      const leader = leaderOf(context);
      if (leader !== undefined) stall(context, leader);
      return leader;
    },
    isIn: ({ raft, platter }) => raft.role === "StateLeader" && platter.lastIndex < raft.log.lastIndex(),
  },
  {
    kind: "trap-follower-disk",
    weight: 1,
    prepare: (context) => {
      const node = context.random.pick(running(context));
      if (node !== undefined) stall(context, node);
      return node;
    },
    isIn: ({ raft, platter }) => raft.role === "StateFollower" && platter.lastIndex < raft.log.lastIndex(),
  },
  {
    kind: "trap-hand-over",
    weight: 1,
    prepare: (context) => {
      const leader = leaderOf(context);
      const to = context.random.pick(running(context).filter((one) => one !== leader));
      if (leader === undefined || to === undefined) return "nowhere";
      leader.cluster?.transferLeadership(to.id, { timeoutMs: TIMEOUT_MS }).then(ignore, ignore);
      return leader;
    },
    isIn: ({ raft }) => raft.leadTransferee !== 0,
  },
  {
    kind: "trap-commit",
    weight: 1,
    isIn: (node, { world }) =>
      node.raft.role === "StateLeader" &&
      [...world.monitor.ledger.running.values()].every(
        ({ id, raft }) => id === node.id || raft.log.committed < node.raft.log.committed,
      ),
  },
  {
    kind: "trap-reads",
    weight: 1,
    isIn: ({ raft }) => raft.role === "StateLeader" && raft.reads.waiting.length > 0,
  },
  {
    kind: "trap-joint",
    weight: 2,
    prepare: (context) => (changeVotersTogether(context) === undefined ? "nowhere" : undefined),
    isIn: ({ raft }) => raft.tracker.config.voters.isJoint,
  },
  {
    kind: "trap-change",
    weight: 2,
    prepare: (context) => (changeSomething(context) === undefined ? "nowhere" : undefined),
    isIn: (node) => hasChange(node, node.raft.log.applied),
  },
  {
    kind: "trap-snapshot",
    weight: 2,
    prepare: (context) => {
      leaderOf(context)?.cluster?.snapshot().then(ignore, ignore);
      const behind = context.random.pick(running(context));
      if (behind !== undefined) stall(context, behind);
      return undefined;
    },
    isIn: ({ raft }) => raft.log.unstable.snapshot !== undefined,
  },
  {
    kind: "trap-without-vote",
    weight: 3,
    prepare: leaderToBeWithoutVote,
    isIn: ({ raft }) => leadsWithoutVote({ raft }),
    patienceMs: [0, 2],
  },
  {
    // Long enough for it to be deposed, or to give up, before the others know that it was removed.
    kind: "trap-without-vote-alone",
    weight: 4,
    prepare: leaderToBeWithoutVote,
    isIn: ({ raft }) => leadsWithoutVote({ raft }),
    patienceMs: [0],
    downMs: [100, 1_000, 3_000],
    isCutOff: true,
  },
];

function hasChange({ raft: { log } }: Observed, after: number): boolean {
  const first = Math.max(after + 1, log.firstIndex());
  if (first > log.lastIndex()) return false;
  return log.some(first, log.lastIndex() + 1, Number.POSITIVE_INFINITY, ({ type }) => type !== "EntryNormal");
}

/** Nothing gets through between a node and all others for a while. */
function cutOff({ world }: FaultContext, id: NodeId, ms: number): void {
  const links = [...world.nodes.keys()].flatMap((other) =>
    other === id ? [] : [[id, other] as const, [other, id] as const],
  );
  for (const [from, to] of links) world.network.cut(from, to);
  world.after(ms, "nemesis", 0, undefined, () => {
    for (const [from, to] of links) world.network.mend(from, to);
  });
}

/** Waits for the state and crashes who is in it, or cuts it off, once. */
function arm(context: FaultContext, trapKind: TrapKind): Injected | undefined {
  const { prepare, isIn, kind, isCutOff, patienceMs = PATIENCE_MS } = trapKind;
  const { world, random } = context;
  const watched = prepare?.(context);
  if (watched === "nowhere") return undefined;
  const waitMs = random.between(0, random.oneOf(...patienceMs));
  const downMs = random.oneOf(...(trapKind.downMs ?? DOWN_MS));
  const campaignsAfterMs = random.oneOf(undefined, 1, 1, 10);
  let isArmed = true;
  const back = (node: SimNode): void => {
    node.disk.flushMs = node.disk.usualFlushMs;
    node.start();
    if (campaignsAfterMs !== undefined) world.after(campaignsAfterMs, "nemesis", 0, undefined, () => campaign(node));
  };
  const trap: Trap = (node, observed) => {
    if (watched !== undefined && node !== watched) return;
    if (!isIn(observed, context)) return;
    world.traps.delete(trap);
    const { life } = node;
    world.after(waitMs, "nemesis", 0, undefined, () => {
      if (!isArmed || node.life !== life || node.condition !== "up") return;
      world.faults.count(`${kind} sprung`);
      if (isCutOff === true) {
        cutOff(context, node.id, downMs);
        return;
      }
      node.crash();
      world.after(downMs, "nemesis", 0, undefined, () => back(node));
    });
  };
  world.traps.add(trap);
  return {
    text: `the node that comes to it crashes${watched === undefined ? "" : `: n${watched.id}`}`,
    undo: () => {
      isArmed = false;
      world.traps.delete(trap);
      if (watched !== undefined) watched.disk.flushMs = watched.disk.usualFlushMs;
    },
  };
}

export const TRAP_FAULTS: readonly Fault[] = TRAPS.map((trap) => ({
  kind: trap.kind,
  weight: trap.weight,
  durationMs: [300, 4_000],
  inject: (context) => arm(context, trap),
}));
