// To run a cluster between processes.

// To look into it.
export { formatAddress, type HostPort, parseAddress } from "./address.ts";
// To encrypt, and to know who calls.
export { securityFailure } from "./client/call-failure.ts";
export { RaftClient, type RaftClientOptions } from "./client/raft-client.ts";
export type { TransportCounters } from "./counters.ts";
export { GrpcClusterTransport } from "./grpc-cluster-transport.ts";
// To say how a node is.
export { HealthBoard, OVERALL, type ServingStatus } from "./health/health-board.ts";
export type { LocalPeer } from "./local-peer.ts";
export { DEFAULT_TRANSPORT_LIMITS, type GrpcTransportOptions, type TransportLimits } from "./options.ts";
export type { ConnectionState } from "./peer/peer-stream.ts";
export type { StreamKind } from "./peer/stream-kind.ts";
export type { KindTraffic, PeerStats, StreamStats } from "./peer-stats.ts";
export { CALLER, type Caller, namedNode, objectionToCaller } from "./security/caller.ts";
export type { NodeClaim } from "./security/certificate-names.ts";
export { Security } from "./security/security.ts";
export { type PemSource, TLS_OPTION_NAMES, type TlsOptions } from "./security/tls-options.ts";
export { type GrpcServer, type GrpcServerOptions, startGrpcServer } from "./server/grpc-server.ts";
export { GROUP_HEADER } from "./server/raft-service.ts";
// To read and write the first contract's messages.
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
