/** What forged messages carry: entries, configuration changes, snapshots and contexts, most of them sound in part. */
import { type ConfState, EMPTY_BYTES, type LogIndex, type NodeId, type Term } from "@raftoral/raft-core";
import type { ConfChangeSingle, Entry, Snapshot } from "@raftoral/raft-core/core";
import { encodeConfChange, encodeConfChangeV2 } from "@raftoral/raft-core/core";
import { type CoreNode, contentOf } from "../core/core-node.ts";
import type { Random } from "../world/random.ts";
import { anyHuge, anyIndex, anyNodeId, anyTerm } from "./hostile-numbers.ts";

const CAMPAIGN_TRANSFER = new TextEncoder().encode("CampaignTransfer");

/** Entries that follow `index` in order, with terms that do not fall, up to `term`. */
export function entriesAfter(
  random: Random,
  node: CoreNode,
  ids: readonly NodeId[],
  { index, logTerm, term }: { readonly index: LogIndex; readonly logTerm: Term; readonly term: Term },
): readonly Entry[] {
  let last = Math.min(logTerm, term);
  return Array.from({ length: random.oneOf(0, 1, 1, 2, 4) }, (_, at) => {
    if (random.chance(0.3)) last = Math.max(last, random.oneOf(term, term, Math.min(last + 1, term)));
    return {
      ...contentOfEntry(random, node, ids),
      term: last,
      index: Math.min(index + 1 + at, Number.MAX_SAFE_INTEGER),
    };
  });
}

/** Entries in no order, with gaps and repeats. */
export function anyEntries(random: Random, node: CoreNode, ids: readonly NodeId[]): readonly Entry[] {
  return Array.from({ length: random.oneOf(0, 1, 1, 2, 3, 6) }, () => ({
    ...contentOfEntry(random, node, ids),
    term: anyTerm(random, node),
    index: anyIndex(random, node),
  }));
}

function contentOfEntry(random: Random, node: CoreNode, ids: readonly NodeId[]): Entry {
  const type = random.oneOf("EntryNormal", "EntryNormal", "EntryConfChange", "EntryConfChangeV2");
  const data =
    type === "EntryNormal" ? random.oneOf(EMPTY_BYTES, Uint8Array.of(0, 0, 0, 9)) : changeIn(random, node, ids, type);
  const entry: Entry = { term: 0, index: 0, type, data };
  return random.chance(0.3) ? { ...entry, context: anyBytes(random) } : entry;
}

/** The bytes of a configuration change: one that may fit or not, or bytes that are none. */
function changeIn(random: Random, node: CoreNode, ids: readonly NodeId[], type: Entry["type"]): Uint8Array {
  if (random.chance(0.15)) return anyBytes(random);
  const single = (): ConfChangeSingle => ({
    type: random.oneOf("AddNode", "AddLearnerNode", "RemoveNode", "RemoveNode", "UpdateNode"),
    nodeId: anyNodeId(random, node, ids),
  });
  if (type === "EntryConfChange") return encodeConfChange({ id: random.below(9), ...single(), context: EMPTY_BYTES });
  const transition = random.oneOf("Auto", "Auto", "Implicit", "Explicit");
  const changes = random.chance(0.15)
    ? ids.map((nodeId) => ({ type: "RemoveNode", nodeId }) as const)
    : Array.from({ length: random.oneOf(0, 0, 1, 1, 2, 5) }, single);
  return encodeConfChangeV2({ transition, changes, context: EMPTY_BYTES });
}

/** A few random bytes. */
export function anyBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.oneOf(1, 3, 4, 8, 20) }, () => random.below(256));
}

/** A context: none, the mark of a hand-over, a position of reads, or anything. */
export function anyContext(random: Random, { raft: { reads } }: CoreNode): Uint8Array | undefined {
  switch (random.below(5)) {
    case 0:
      return undefined;
    case 1:
      return CAMPAIGN_TRANSFER;
    case 2:
      return anyBytes(random);
    default: {
      const position = new Uint8Array(8);
      const known = reads.confirmed + reads.waiting.length;
      new DataView(position.buffer).setUint32(0, random.oneOf(known, known, known + 1, 0, 0xffff_ffff), true);
      if (random.chance(0.2)) position[7] = 0xff;
      return position;
    }
  }
}

/** A snapshot near to what `node` has, or far from it. */
export function anySnapshot(random: Random, node: CoreNode, ids: readonly NodeId[]): Snapshot {
  const metadata = {
    index: anyIndex(random, node),
    term: anyTerm(random, node),
    confState: anyConfState(random, node, ids),
  };
  return { metadata, data: random.chance(0.8) ? contentOf(random.below(1_000)) : EMPTY_BYTES };
}

/** The configuration in force, with or without changes to it, or any lists of ids. */
function anyConfState(random: Random, node: CoreNode, ids: readonly NodeId[]): ConfState {
  const known = node.raft.tracker.confState();
  if (random.chance(0.4)) return known;
  const some = (): readonly NodeId[] => ids.filter(() => random.chance(0.5));
  const odd = (): readonly NodeId[] =>
    random.oneOf([], [node.id], [0], [anyHuge(random)], some(), [...some(), ...some()]);
  if (random.chance(0.5)) {
    return { ...known, [random.oneOf("voters", "learners", "votersOutgoing", "learnersNext")]: odd() };
  }
  if (random.chance(0.3)) {
    return {
      voters: odd(),
      learners: odd(),
      votersOutgoing: odd(),
      learnersNext: odd(),
      autoLeave: random.chance(0.5),
    };
  }
  // A joint configuration that is sound.
  const voters = [...new Set([node.id, ...some()])];
  const votersOutgoing = [...new Set([node.id, ...some()])];
  const learners = ids.filter((id) => !voters.includes(id) && !votersOutgoing.includes(id));
  const learnersNext = votersOutgoing.filter((id) => !voters.includes(id) && random.chance(0.5));
  return { voters, learners, votersOutgoing, learnersNext, autoLeave: random.chance(0.5) };
}
