/** Numbers for forged messages: near to those that a node is at, where most mistakes are, or far beyond anything that a group comes to. */
import type { LogIndex, NodeId, Term } from "@raftoral/raft-core";
import type { CoreNode } from "../core/core-node.ts";
import type { Random } from "../world/random.ts";

const HIGHEST_TERM_OR_INDEX = 2 ** 52;
const HUGE: readonly [number, ...number[]] = [
  2 ** 31,
  2 ** 32,
  2 ** 40,
  2 ** 51,
  HIGHEST_TERM_OR_INDEX - 1,
  HIGHEST_TERM_OR_INDEX,
  HIGHEST_TERM_OR_INDEX + 1,
  Number.MAX_SAFE_INTEGER,
];
/** Of the numbers, how many are huge. */
const HUGE_SHARE = 0.15;
/** An id that no node has. */
export const STRANGER: NodeId = 61;

/** A number beyond anything that a group comes to. */
export function anyHuge(random: Random): number {
  return random.oneOf(...HUGE);
}

/** An index that means something to `node`, or the one beside it. */
export function indexNear(random: Random, { raft: { log } }: CoreNode): LogIndex {
  const { committed, applied } = log;
  const [first, last] = [log.firstIndex(), log.lastIndex()];
  const known = random.oneOf(0, first - 1, first, applied, committed, committed, last, last, last);
  return Math.max(0, known + random.oneOf(-1, 0, 0, 0, 1, 2));
}

/** A term that means something to `node`, or the one beside it. */
export function termNear(random: Random, { raft }: CoreNode): Term {
  return Math.max(0, random.oneOf(0, raft.log.lastTerm(), raft.term, raft.term, raft.term) + random.oneOf(-1, 0, 0, 1));
}

/** An index near to one that `node` is at, or a huge one. */
export function anyIndex(random: Random, node: CoreNode): LogIndex {
  return random.chance(HUGE_SHARE) ? anyHuge(random) : indexNear(random, node);
}

/** A term near to the one that `node` is in, or a huge one. */
export function anyTerm(random: Random, node: CoreNode): Term {
  if (!random.chance(HUGE_SHARE)) return termNear(random, node);
  return random.chance(0.3) ? node.raft.term + 2 ** 32 + random.below(2) : anyHuge(random);
}

/** A node of the group, itself included, none, a stranger, or an id beyond all ids. */
export function anyNodeId(random: Random, node: CoreNode, ids: readonly NodeId[]): NodeId {
  if (random.chance(0.6)) return random.pick(ids) ?? node.id;
  return random.oneOf(node.id, node.raft.lead, node.raft.vote, 0, STRANGER, anyHuge(random));
}
