/**
 * One node's conversations with its peers about blobs: pushing one to a peer, and fetching one from a peer.
 *
 * BP1. One part of a blob is under way to a peer at a time, and at most TRANSFERS_PER_PEER blobs.
 * BP2. A transfer goes on where the receiver ends. One that gets no further is given up.
 */
import type { BlobName, BlobStore, Clock, NodeId } from "@raftoral/raft-core";
import { nextTurn } from "./blob-bytes.ts";
import type { BlobCounts } from "./blob-counts.ts";
import { type BlobAnswer, type BlobRequest, decodeAnswer, encodeRequest } from "./blob-protocol.ts";
import { Gate } from "./gate.ts";

const TRANSFERS_PER_PEER = 4;
/** Answers in a row that bring a transfer no further. */
const MAX_STILL = 3;
/** How often what has come may turn out to be other bytes: once, for what was there before. */
const MAX_DROPS = 2;

/** Sends a request to a peer (`RaftCluster.request`). */
export type SendRequest = (peer: NodeId, request: Uint8Array) => Promise<Uint8Array>;

/** At most PART_BYTES of a blob from an offset on. */
export type PartAt = (offset: number) => Uint8Array | Promise<Uint8Array>;

/** The conversations of one node (BP1, BP2). */
export class BlobPeers {
  readonly #send: SendRequest;
  readonly #clock: Clock;
  readonly #counts: BlobCounts;
  readonly #gates = new Map<NodeId, Gate>();

  constructor(send: SendRequest, clock: Clock, counts: BlobCounts) {
    this.#send = send;
    this.#clock = clock;
    this.#counts = counts;
  }

  /** Resolves once the peer has the blob, flushed. Rejects as the request does, or when the peer gets no further. `partAt` gives its bytes, `goOn` is asked before each part. */
  push(peer: NodeId, name: BlobName, partAt: PartAt, goOn: () => boolean): Promise<void> {
    return this.#gateOf(peer).through(async () => {
      let { offset, isWhole } = await this.#ask(peer, { kind: "offer", blob: name });
      for (let still = 0, drops = 0; !isWhole; ) {
        if (!goOn()) throw new Error("it was given up");
        const data = await partAt(offset);
        const answer = await this.#ask(peer, { kind: "part", blob: name, offset, data });
        this.#counts.sentBytes += data.length;
        still = answer.offset > offset || answer.isWhole ? 0 : still + 1;
        drops += answer.offset < offset ? 1 : 0;
        if (still === MAX_STILL || drops === MAX_DROPS) throw new Error(`node ${peer} does not take it`);
        ({ offset, isWhole } = answer);
        await nextTurn(this.#clock);
      }
    });
  }

  /** Brings a blob from the peer into the store. Gives whether it is whole then; false when the peer has it not. */
  fetch(peer: NodeId, name: BlobName, store: BlobStore, goOn: () => boolean): Promise<boolean> {
    return this.#gateOf(peer).through(async () => {
      let at = await store.offset(name);
      for (let still = 0, drops = 0; at < name.length; ) {
        if (!goOn()) return false;
        const { isWhole, data } = await this.#ask(peer, { kind: "fetch", blob: name, offset: at });
        if (!isWhole || data.length === 0) return false;
        const next = await store.append(name, at, data);
        this.#counts.receivedBytes += data.length;
        still = next > at ? 0 : still + 1;
        drops += next < at ? 1 : 0;
        if (still === MAX_STILL || drops === MAX_DROPS) return false;
        at = next;
        await nextTurn(this.#clock);
      }
      return true;
    });
  }

  async #ask(peer: NodeId, request: BlobRequest): Promise<BlobAnswer> {
    return decodeAnswer(await this.#send(peer, encodeRequest(request)), request.blob);
  }

  #gateOf(peer: NodeId): Gate {
    let gate = this.#gates.get(peer);
    if (gate === undefined) {
      gate = new Gate(TRANSFERS_PER_PEER);
      this.#gates.set(peer, gate);
    }
    return gate;
  }
}
