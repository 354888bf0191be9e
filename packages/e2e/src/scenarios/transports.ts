/** The transports, each behind the constructor that is all a program changes to use the other one. */
import type { AnyExecutor, ClusterDefaults, ClusterTransport, NodeAddress } from "@raftoral/raft-core";
import { GrpcClusterTransport, startGrpcServer } from "@raftoral/transport-grpc";
import { InMemoryClusterTransport } from "@raftoral/transport-memory";

/** A transport with what it needs beside the common surface. */
export interface OpenTransport<E extends AnyExecutor> {
  readonly transport: ClusterTransport<E>;
  /** Makes a node of this process reachable; nothing to do where there is no network. */
  serve(nodeId: number): Promise<void>;
}

export interface TransportKind {
  readonly transportName: string;
  open<E extends AnyExecutor>(nodes: readonly NodeAddress[], defaults: ClusterDefaults<E>): OpenTransport<E>;
}

export const TRANSPORTS: readonly TransportKind[] = [
  {
    transportName: "the in-memory transport",
    open: <E extends AnyExecutor>(nodes: readonly NodeAddress[], defaults: ClusterDefaults<E>) => {
      const transport = new InMemoryClusterTransport<E>(nodes, defaults);
      return { transport, serve: async () => {} };
    },
  },
  {
    transportName: "gRPC",
    open: <E extends AnyExecutor>(nodes: readonly NodeAddress[], defaults: ClusterDefaults<E>) => {
      const transport = new GrpcClusterTransport<E>(nodes, defaults);
      const serve = async (nodeId: number): Promise<void> => {
        await startGrpcServer(transport.getNodeAddress(nodeId) ?? "", transport, nodeId);
      };
      return { transport, serve };
    },
  },
];
