/**
 * Forges a message to a node: one that a node of the group could send, or that was under way, with some of its fields replaced. Every type
 * that has bytes is forged, those too that no node may send to another.
 */
import type { NodeId } from "@raftoral/raft-core";
import { type Message, type MessageType, message } from "@raftoral/raft-core/core";
import type { CoreNode } from "../core/core-node.ts";
import type { Random } from "../world/random.ts";
import { anyContext, anyEntries, anySnapshot, entriesAfter } from "./hostile-content.ts";
import { anyHuge, anyIndex, anyNodeId, anyTerm, indexNear, termNear } from "./hostile-numbers.ts";

export const PEER_TYPES = [
  "MsgProp",
  "MsgApp",
  "MsgAppResp",
  "MsgVote",
  "MsgVoteResp",
  "MsgSnap",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgTransferLeader",
  "MsgTimeoutNow",
  "MsgReadIndex",
  "MsgReadIndexResp",
  "MsgPreVote",
  "MsgPreVoteResp",
] as const satisfies readonly MessageType[];
/** Types that have bytes and that a node only ever gives to itself. */
const LOCAL_TYPES = ["MsgHup", "MsgBeat", "MsgUnreachable", "MsgSnapStatus", "MsgCheckQuorum"] as const;

/** Fields of a message that are replaced, the same as often as they are listed. */
const FIELDS = [
  "from",
  "from",
  "term",
  "term",
  "logTerm",
  "index",
  "index",
  "entries",
  "commit",
  "commitTerm",
  "snapshot",
  "reject",
  "rejectHint",
  "context",
  "requestSnapshot",
  "priority",
  "to",
] as const satisfies readonly (keyof Message)[];

/** Forges messages for one group. */
export class Forger {
  readonly #random: Random;
  readonly #ids: readonly NodeId[];
  /** Messages that were under way. */
  readonly #overheard: readonly Message[];

  constructor(random: Random, ids: readonly NodeId[], overheard: readonly Message[]) {
    this.#random = random;
    this.#ids = ids;
    this.#overheard = overheard;
  }

  /** A message to `node`. */
  forge(node: CoreNode): Message {
    const random = this.#random;
    const overheard = random.chance(0.25) ? random.pick(this.#overheard) : undefined;
    let forged: Message = overheard === undefined ? this.#plausible(node) : { ...overheard, to: node.id };
    for (let more = random.oneOf(0, 1, 1, 1, 2, 2, 3, 6); more > 0; more--) {
      forged = { ...forged, ...this.#replaced(random.oneOf(...FIELDS), node, forged) };
    }
    return forged;
  }

  #plausible(node: CoreNode): Message {
    const random = this.#random;
    const { raft } = node;
    const type = random.chance(0.03) ? random.oneOf(...LOCAL_TYPES) : random.oneOf(...PEER_TYPES);
    const others = this.#ids.filter((id) => id !== node.id);
    const from =
      random.chance(0.5) && raft.lead !== node.id && raft.lead !== 0 ? raft.lead : (random.pick(others) ?? 0);
    const term = raft.term + random.oneOf(0, 0, 0, 0, 1);
    const index = indexNear(random, node);
    const logTerm = random.chance(0.8) ? raft.log.termOrZero(index) : termNear(random, node);
    const commit = indexNear(random, node);
    const position = { term, index, logTerm, commit, commitTerm: raft.log.termOrZero(commit) };
    const common = message({ type, to: node.id, from, ...position, context: anyContext(random, node) });
    switch (type) {
      case "MsgProp":
      case "MsgReadIndex":
        return { ...common, term: 0, entries: anyEntries(random, node, this.#ids).slice(0, 1) };
      case "MsgReadIndexResp":
        return { ...common, entries: anyEntries(random, node, this.#ids).slice(0, 1) };
      case "MsgApp":
        return { ...common, entries: entriesAfter(random, node, this.#ids, position) };
      case "MsgSnap": {
        const snapshot = anySnapshot(random, node, this.#ids);
        const metadata = { ...snapshot.metadata, term: Math.min(snapshot.metadata.term, term) };
        return { ...common, snapshot: { ...snapshot, metadata } };
      }
      case "MsgAppResp":
      case "MsgVoteResp":
      case "MsgPreVoteResp":
        return { ...common, reject: random.chance(0.5), rejectHint: indexNear(random, node) };
      default:
        return common;
    }
  }

  #replaced(field: (typeof FIELDS)[number], node: CoreNode, m: Message): Partial<Message> {
    const random = this.#random;
    switch (field) {
      case "from":
        return { from: anyNodeId(random, node, this.#ids) };
      case "to":
        return random.chance(0.3) ? { to: random.oneOf(0, anyNodeId(random, node, this.#ids)) } : {};
      case "term":
      case "logTerm":
      case "commitTerm":
        return { [field]: anyTerm(random, node) };
      case "index":
      case "commit":
      case "rejectHint":
      case "requestSnapshot":
        return { [field]: anyIndex(random, node) };
      case "entries":
        return {
          entries: random.chance(0.5) ? entriesAfter(random, node, this.#ids, m) : anyEntries(random, node, this.#ids),
        };
      case "snapshot":
        return { snapshot: random.chance(0.5) ? anySnapshot(random, node, this.#ids) : undefined };
      case "reject":
        return { reject: !m.reject };
      case "context":
        return { context: anyContext(random, node) };
      case "priority":
        return { priority: random.oneOf(-1, 1) * anyHuge(random) };
    }
  }
}
