/**
 * The Exchange streams that peers have open to this node.
 *
 * Invariants:
 * I1. Of one peer and kind there are at most `maxPerPeer`: a further one ends the oldest, which is one that the peer has lost.
 * I2. Once a later start of a peer was seen, streams of an earlier one end.
 */
import type { GroupId, NodeId } from "@raftoral/raft-core";
import type { Refusal } from "../gen/raftoral/v1/peer_pb.ts";
import type { StreamKind } from "../peer/stream-kind.ts";
import { refusal, removal } from "../wire/hello.ts";

/** A stream whose hello was accepted. */
export interface AcceptedStream {
  readonly from: NodeId;
  readonly kind: StreamKind | undefined;
  readonly incarnation: number;
  /** Tells the peer why, and ends the stream. */
  refuse(why: Refusal): void;
}

/** The accepted streams of one node (I1, I2). */
export class InboundStreams {
  readonly #self: NodeId;
  readonly #maxPerPeer: number;
  /** In order of arrival. */
  readonly #streams = new Map<NodeId, AcceptedStream[]>();

  constructor(self: NodeId, maxPerPeer: number) {
    this.#self = self;
    this.#maxPerPeer = maxPerPeer;
  }

  countOf(peer: NodeId): number {
    return this.#streams.get(peer)?.length ?? 0;
  }

  /** A hello was accepted. */
  add(stream: AcceptedStream): void {
    const { from, kind, incarnation } = stream;
    for (const earlier of this.#of(from)) {
      if (incarnation === 0 || earlier.incarnation === 0 || earlier.incarnation >= incarnation) continue;
      earlier.refuse(refusal("INCARNATION_STALE", `start ${incarnation} of node ${from} called`));
    }
    const alike = this.#of(from).filter((other) => other.kind === kind);
    for (const oldest of alike.slice(0, Math.max(0, alike.length - this.#maxPerPeer + 1))) {
      oldest.refuse(refusal("SUPERSEDED", `node ${from} opened more than ${this.#maxPerPeer} streams of a kind`));
    }
    this.#streams.set(from, [...this.#of(from), stream]);
  }

  /** The stream ended. Idempotent. */
  delete(stream: AcceptedStream): void {
    const left = this.#of(stream.from).filter((other) => other !== stream);
    if (left.length > 0) this.#streams.set(stream.from, left);
    else this.#streams.delete(stream.from);
  }

  /** Ends the streams of peers that were removed, and tells them. */
  refuseRemoved(removedFrom: (peer: NodeId) => readonly GroupId[]): void {
    for (const [peer, streams] of [...this.#streams]) {
      const groups = removedFrom(peer);
      if (groups.length === 0) continue;
      for (const stream of streams) stream.refuse(removal(peer, this.#self, groups));
    }
  }

  #of(peer: NodeId): readonly AcceptedStream[] {
    return this.#streams.get(peer) ?? [];
  }
}
