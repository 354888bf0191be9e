import type { NodeId } from "@raftoral/raft-core";
import { type TransportSubject, transportConformance } from "@raftoral/raft-core/testing";
import { describe, test } from "vitest";
import { GrpcClusterTransport } from "./grpc-cluster-transport.ts";
import type { TlsOptions } from "./security/tls-options.ts";
import type { GrpcServer } from "./server/grpc-server.ts";
import { startGrpcServer } from "./server/start-grpc-server.ts";
import { CertificateAuthority } from "./testing/certificate-authority.ts";

async function subject(tls?: TlsOptions): Promise<TransportSubject> {
  const maxQueuedMessages = 2000;
  const transport = new GrpcClusterTransport(
    [1, 2, 3].map((nodeId) => ({ nodeId, address: "127.0.0.1:0" })),
    { maxQueuedMessages, minBackoffMs: 5, maxBackoffMs: 20, ...(tls === undefined ? {} : { tls }) },
  );
  const servers = new Map<NodeId, GrpcServer>();
  for (const nodeId of [1, 2, 3]) servers.set(nodeId, await startGrpcServer("127.0.0.1:0", transport, nodeId));
  await transport.start();
  const takeDown = async (nodeId: NodeId) => servers.get(nodeId)?.close({ graceMs: 0 });
  // A server that is not the transport's own, so that no peer learns where it is.
  const listenQuietly = async (nodeId: NodeId, address: string) => {
    const stranger = new GrpcClusterTransport([{ nodeId, address }]);
    const local = transport.peer(nodeId);
    stranger.peer = () => local;
    const server = await startGrpcServer(address, stranger, nodeId);
    servers.set(nodeId, server);
    return server;
  };
  return {
    maxQueuedMessages,
    peer: (nodeId) => transport.peer(nodeId),
    takeDown: async (nodeId) => {
      await takeDown(nodeId);
    },
    bringUp: async (nodeId) => {
      servers.set(nodeId, await startGrpcServer(servers.get(nodeId)?.address ?? "", transport, nodeId));
    },
    move: async (nodeId) => {
      await takeDown(nodeId);
      return (await listenQuietly(nodeId, "127.0.0.1:0")).address;
    },
    dispose: async () => {
      await Promise.all([...servers.values()].map((server) => server.close({ graceMs: 0 })));
      await transport.shutdown();
    },
  };
}

transportConformance("GrpcClusterTransport", () => subject(), { describe, test });

/** All three are in one process, on one transport. */
const threeNodes = CertificateAuthority.create().then(async (authority) => {
  const uris = [1, 2, 3].map((nodeId) => `uri:raftoral://default/node/${nodeId}`);
  return { ca: authority.ca, ...(await authority.issue({ names: ["ip:127.0.0.1", ...uris] })) };
});

transportConformance(
  "GrpcClusterTransport over TLS",
  async () => {
    const { ca, cert, key } = await threeNodes;
    return subject({ ca, cert, key });
  },
  { describe, test },
);
