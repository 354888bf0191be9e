// First: what follows does not run on an old Node.
import "@raftoral/raft-core/require-node";

// To run a cluster inside one process.

export { InMemoryClusterTransport, type InMemoryTransportOptions } from "./in-memory-cluster-transport.ts";

// To break its network.

export { type LinkFaults, NO_FAULTS } from "./faults.ts";
export type { LinkCounts } from "./memory-link.ts";
export type { MemoryNetwork } from "./memory-network.ts";
