import { type ClusterEvent, type CommandExecutor, RaftError } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import { GrpcClusterTransport } from "./grpc-cluster-transport.ts";
import { startGrpcServer } from "./server/start-grpc-server.ts";

type Nothing = CommandExecutor<string, string>;

function nothing(): Nothing {
  return {
    encode: (command) => new TextEncoder().encode(command),
    decode: (bytes) => new TextDecoder().decode(bytes),
    apply: (batch) => batch.map(({ command }) => command),
    async *snapshot() {},
    async restore(content) {
      for await (const _ of content);
    },
  };
}

// Its own log never says so: the others send it nothing from the moment on in which they apply its removal.
test("a node that was out of reach when it was removed hears of it from the node that it calls", async () => {
  const transports = await Promise.all(
    [1, 2, 3].map(async (nodeId) => {
      const transport = new GrpcClusterTransport<Nothing>([], {
        executor: nothing,
        clusterId: "few",
        minBackoffMs: 5,
        maxBackoffMs: 20,
        timing: { tickMs: 10 },
      });
      const server = await startGrpcServer("127.0.0.1:0", transport, nodeId);
      return { nodeId, transport, server };
    }),
  );
  for (const { transport } of transports) {
    for (const { nodeId, server } of transports) transport.addNode({ nodeId, address: server.address });
    await transport.start();
  }
  try {
    const [one, , three] = await Promise.all(
      transports.map(({ transport, nodeId }) => transport.createCluster(nodeId)),
    );
    if (one === undefined || three === undefined) throw new RaftError("NODE_UNKNOWN", "three nodes were started");
    await three.propose("all are there");
    const removed = Promise.withResolvers<ClusterEvent>();
    three.on((event) => {
      if (event.type === "removed") removed.resolve(event);
    });
    // No other node reaches it, and it reaches all.
    await transports[2]?.server.close({ graceMs: 0 });
    await one.changeMembership([{ type: "RemoveNode", nodeId: 3 }]);
    expect(three.status().confState.voters).toContain(3);
    expect(await removed.promise).toEqual({ type: "removed" });
    await one.propose("the others go on");
  } finally {
    await Promise.all(transports.map(({ transport }) => transport.shutdown()));
  }
});
