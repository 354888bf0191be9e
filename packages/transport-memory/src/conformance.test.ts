import type { NodeId } from "@raftoral/raft-core";
import { type TransportSubject, transportConformance } from "@raftoral/raft-core/testing";
import { describe, test } from "vitest";
import { InMemoryClusterTransport } from "./in-memory-cluster-transport.ts";

async function subject(encode: boolean): Promise<TransportSubject> {
  const maxQueuedMessages = 2000;
  const transport = new InMemoryClusterTransport([1, 2, 3], { seed: 1, maxQueuedMessages, encode });
  await transport.start();
  return {
    maxQueuedMessages,
    peer: (nodeId) => transport.peer(nodeId),
    takeDown: async (nodeId) => transport.network.takeDown(nodeId),
    bringUp: async (nodeId) => transport.network.bringUp(nodeId),
    move: async (nodeId: NodeId) => `memory:moved-${nodeId}`,
    dispose: () => transport.shutdown(),
  };
}

transportConformance("InMemoryClusterTransport", () => subject(false), { describe, test });
transportConformance("InMemoryClusterTransport, through the codec", () => subject(true), { describe, test });
