/**
 * What this node remembers of its peers beyond their connections: counts, and the latest start that it saw.
 *
 * Invariants:
 * K1. A peer that was introduced is remembered until it is forgotten. Of those that only called there are at most `maxLearned`:
 *     a caller that can reach the port can claim any number of ids.
 * K2. Of a peer there are at most {@link MAX_HINTS} addresses beside the known one, the latest first.
 */
import type { NodeId } from "@raftoral/raft-core";
import { formatAddress, type HostPort } from "./address.ts";
import { PeerTraffic } from "./peer-stats.ts";

/** The peer's own word, and those of a few configured addresses. */
const MAX_HINTS = 4;

/** What is remembered of one peer. */
export interface PeerRecord {
  /** Where else the peer may be: what it said of itself, or what somebody configured (K2). */
  hints: readonly HostPort[];
  readonly traffic: PeerTraffic;
  /** The highest incarnation seen; 0 for none. */
  incarnation: number;
  /** Whether it was logged that it sends in others' names: once is enough. */
  isKnownLiar: boolean;
}

/** The book of one node (K1, K2). */
export class PeerBook {
  readonly #maxLearned: number;
  readonly #forgotten: (peer: NodeId) => void;
  readonly #introduced = new Map<NodeId, PeerRecord>();
  /** The oldest first. */
  readonly #learned = new Map<NodeId, PeerRecord>();

  /** `forgotten` hears of each peer that had to make room for another. */
  constructor(maxLearned: number, forgotten: (peer: NodeId) => void) {
    this.#maxLearned = maxLearned;
    this.#forgotten = forgotten;
  }

  /** Every peer that is remembered, ascending. */
  peers(): NodeId[] {
    return [...this.#introduced.keys(), ...this.#learned.keys()].sort((a, b) => a - b);
  }

  find(peer: NodeId): PeerRecord | undefined {
    return this.#introduced.get(peer) ?? this.#learned.get(peer);
  }

  /** The peer belongs here: the node was told of it. */
  introduce(peer: NodeId): PeerRecord {
    const known = this.#introduced.get(peer);
    if (known !== undefined) return known;
    const record = this.#learned.get(peer) ?? newRecord();
    this.#learned.delete(peer);
    this.#introduced.set(peer, record);
    return record;
  }

  /** The peer called. */
  learn(peer: NodeId): PeerRecord {
    const known = this.find(peer);
    if (known !== undefined) return known;
    const record = newRecord();
    this.#addLearned(peer, record);
    return record;
  }

  /** The peer does not belong here any more. What was seen of it is kept as of any caller. */
  dismiss(peer: NodeId): void {
    const record = this.#introduced.get(peer);
    if (record === undefined) return;
    this.#introduced.delete(peer);
    this.#addLearned(peer, record);
  }

  #addLearned(peer: NodeId, record: PeerRecord): void {
    const oldest = this.#learned.keys().next();
    if (this.#learned.size >= this.#maxLearned && oldest.done !== true) {
      this.#learned.delete(oldest.value);
      this.#forgotten(oldest.value);
    }
    this.#learned.set(peer, record);
  }
}

function newRecord(): PeerRecord {
  return { hints: [], traffic: new PeerTraffic(), incarnation: 0, isKnownLiar: false };
}

/** The hints with `address` as the first of them. */
export function withHint(hints: readonly HostPort[], address: HostPort): readonly HostPort[] {
  return [address, ...withoutHint(hints, address)].slice(0, MAX_HINTS);
}

/** The hints without `address`. */
export function withoutHint(hints: readonly HostPort[], address: HostPort): readonly HostPort[] {
  const text = formatAddress(address);
  return hints.filter((hint) => formatAddress(hint) !== text);
}
