/** What snapshots and calls to peers need of the node that they are made for; `local-peer.ts` is one. */
import type { Clock, Logger, NodeId, Rng } from "@raftoral/raft-core";
import type { TransportCounters } from "./counters.ts";
import type { GrpcTransportSettings } from "./options.ts";
import type { DialTarget } from "./peer/dial-target.ts";
import type { Identity } from "./wire/hello.ts";

/** A node of this process. */
export interface LocalNode {
  readonly nodeId: NodeId;
  readonly settings: GrpcTransportSettings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly counters: TransportCounters;
  /** How it introduces itself, now. */
  identity(): Identity;
  /** Where a peer is dialled now: its known address, unless it was found elsewhere. Undefined for unknown peers. */
  peerTarget(peer: NodeId): DialTarget | undefined;
}
