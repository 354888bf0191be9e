/** Nodes with blobs, for tests: they reach each other by calls, on a clock that a test moves. */
import {
  type BlobName,
  type BlobStore,
  type ConfState,
  EMPTY_CONF_STATE,
  MemoryBlobStore,
  type NodeId,
  silentLogger,
} from "@raftoral/raft-core";
import { hashOfParts } from "../blobs/blob-bytes.ts";
import { Blobs, DEFAULT_BLOB_LIMITS } from "../blobs/blobs.ts";
import { HandClock } from "./hand-clock.ts";

/** One node of a world. */
export interface Member {
  readonly blobs: Blobs;
  readonly store: BlobStore;
  /** What its state names, with the lengths. */
  readonly named: Map<string, number>;
}

/** The nodes. `down` ones are not reached, and reach no others. */
export class BlobWorld {
  readonly clock = new HandClock();
  readonly members = new Map<NodeId, Member>();
  readonly down = new Set<NodeId>();
  /** Damages or drops what one node answers another. */
  onAnswer: (from: NodeId, to: NodeId, answer: Uint8Array) => Uint8Array = (_from, _to, answer) => answer;
  requests = 0;
  hasQuorum = true;
  confState: ConfState;

  constructor(voters: readonly NodeId[], limits: Partial<typeof DEFAULT_BLOB_LIMITS> = {}) {
    this.confState = { ...EMPTY_CONF_STATE, voters };
    for (const nodeId of voters) this.add(nodeId, limits);
  }

  add(nodeId: NodeId, limits: Partial<typeof DEFAULT_BLOB_LIMITS> = {}): Member {
    const store = new MemoryBlobStore({ hash: hashOfParts });
    const { clock } = this;
    const all = { ...DEFAULT_BLOB_LIMITS, thresholdBytes: 10, ...limits };
    const blobs = new Blobs({ nodeId, store, limits: all, clock, logger: silentLogger });
    const named = new Map<string, number>();
    blobs.begin(
      {
        leader: 1,
        request: (peer, request) => this.#request(nodeId, peer, request),
        readIndex: async () => {
          if (!this.hasQuorum) throw new Error("no quorum");
          return 1;
        },
        status: () => ({ confState: this.confState }),
        members: () => [...this.members.keys()].map((member) => ({ nodeId: member })),
      },
      {
        isBlobNamed: (hash) => named.has(hash),
        namedBlobs: (after = "", limit) =>
          [...named.keys()]
            .filter((hash) => hash > after)
            .sort()
            .slice(0, limit)
            .map((hash) => ({ hash, length: named.get(hash) ?? 0 })),
      },
    );
    const member = { blobs, store, named };
    this.members.set(nodeId, member);
    return member;
  }

  node(nodeId: NodeId): Member {
    const member = this.members.get(nodeId);
    if (member === undefined) throw new Error(`no node ${nodeId}`);
    return member;
  }

  /** Every node's state names the blob from now on. */
  name(name: BlobName, nodeIds: Iterable<NodeId> = this.members.keys()): void {
    for (const nodeId of nodeIds) {
      const { named, blobs } = this.node(nodeId);
      named.set(name.hash, name.length);
      blobs.named([name]);
    }
  }

  async holders(name: BlobName): Promise<readonly NodeId[]> {
    const found: NodeId[] = [];
    for (const [nodeId, { store }] of this.members) if ((await store.offset(name)) === name.length) found.push(nodeId);
    return found;
  }

  close(): void {
    for (const { blobs } of this.members.values()) blobs.close();
  }

  async #request(from: NodeId, to: NodeId, request: Uint8Array): Promise<Uint8Array> {
    this.requests += 1;
    await null;
    if (this.down.has(from) || this.down.has(to)) throw new Error(`node ${to} is down`);
    const answer = await this.node(to).blobs.answer(request.slice());
    return this.onAnswer(to, from, answer);
  }
}
