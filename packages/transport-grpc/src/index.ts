// First: what follows does not run on an old Node.
import "@raftoral/raft-core/require-node";

// To run a cluster between processes.

export { GrpcClusterTransport } from "./grpc-cluster-transport.ts";
export { DEFAULT_TRANSPORT_LIMITS, type GrpcTransportOptions, type TransportLimits } from "./options.ts";
export type { GrpcServer, GrpcServerOptions, ServiceRouter } from "./server/grpc-server.ts";
export { startGrpcServer } from "./server/start-grpc-server.ts";

// To encrypt, and to know who calls.

export { CALLER, type Caller, type CallerKey, namedNode, objectionToCaller } from "./security/caller.ts";
export type { NodeClaim } from "./security/certificate-names.ts";
export { Security } from "./security/security.ts";
export { type PemSource, TLS_OPTION_NAMES, type TlsOptions } from "./security/tls-options.ts";

// To look into it, and to say how a node is.

export type { TransportCounters } from "./counters.ts";
export { HealthBoard, OVERALL, type ServingStatus } from "./health/health-board.ts";
export type { LocalPeer } from "./local-peer.ts";
export type { ConnectionState } from "./peer/connection-state.ts";
export type { StreamKind } from "./peer/stream-kind.ts";
export type { KindTraffic, PeerStats, StreamStats } from "./peer-stats.ts";

// To call a node.

export { formatAddress, type HostPort, parseAddress } from "./address.ts";
export { securityFailure } from "./client/call-failure.ts";
export { NodeSessions, type NodeSessionsOptions } from "./client/node-sessions.ts";
export { RaftClient, type RaftClientOptions } from "./client/raft-client.ts";

// To read and write the first contract's messages.

export { GROUP_HEADER } from "./wire/group-header.ts";
export {
  type DiscoveryResponse,
  decodeDiscoveryResponse,
  decodeMessageResponse,
  decodeRaftMessage,
  encodeDiscoveryResponse,
  encodeMessageResponse,
  encodeRaftMessage,
  type MessageResponse,
  type RaftMessage,
} from "./wire/raft-service-codec.ts";
