import type { CommandExecutor, CommittedCommand } from "@raftoral/raft-core";
import { RecordingReceiver } from "@raftoral/raft-core/testing";
import { afterEach, describe, expect, test } from "vitest";
import { RaftClient } from "./client/raft-client.ts";
import { GrpcClusterTransport } from "./grpc-cluster-transport.ts";
import { startGrpcServer } from "./server/start-grpc-server.ts";

/** WorkflowCommand { workflow_start { workflow_id: "order-1", workflow_type: "process_order", version: 1 } } */
const WORKFLOW_START = Uint8Array.from(Buffer.from("0a1a0a076f726465722d31120d70726f636573735f6f726465721801", "hex"));

/** Keeps every command's bytes as they are. */
class Journal implements CommandExecutor<Uint8Array, number> {
  readonly commands: Uint8Array[] = [];
  encode(command: Uint8Array): Uint8Array {
    return command;
  }
  decode(bytes: Uint8Array): Uint8Array {
    return bytes;
  }
  apply(batch: readonly CommittedCommand<Uint8Array>[]): number[] {
    return batch.map(({ command }) => this.commands.push(command));
  }
  async *snapshot(): AsyncIterable<Uint8Array> {
    for (const command of this.commands) yield command;
  }
  async restore(): Promise<void> {}
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function serve(transport: GrpcClusterTransport<Journal>, nodeIds: readonly number[]): Promise<string[]> {
  cleanUps.push(() => transport.shutdown());
  const servers = [];
  for (const nodeId of nodeIds) servers.push(await startGrpcServer("127.0.0.1:0", transport, nodeId));
  await transport.start();
  return servers.map((server) => server.address);
}

async function connect(address: string): Promise<RaftClient> {
  const client = await RaftClient.connect(address);
  cleanUps.push(() => client.close());
  return client;
}

describe("GrpcClusterTransport", () => {
  test("message passing: a WorkflowStart sent by a client to one of two servers is received and proposed", async () => {
    const journals = new Map<number, Journal>();
    const transport = new GrpcClusterTransport<Journal>([], {
      timing: { tickMs: 10 },
      executor: (nodeId) => {
        const journal = new Journal();
        journals.set(nodeId, journal);
        return journal;
      },
    });
    const addresses = await serve(transport, [1, 2]);
    const clusters = await Promise.all([1, 2].map((nodeId) => transport.createCluster(nodeId)));
    await Promise.all(clusters.map((cluster) => cluster.waitForLeader()));

    const client = await connect(addresses[1] ?? "");
    await client.sendCommand(WORKFLOW_START);

    expect(Buffer.from(journals.get(2)?.commands[0] ?? []).toString("hex")).toBe(
      Buffer.from(WORKFLOW_START).toString("hex"),
    );
    await clusters[0]?.readIndex();
    // Byte arrays of the same class, too: a Buffer's `slice` would be a view where code expects a copy.
    expect(journals.get(1)?.commands).toStrictEqual(journals.get(2)?.commands);
    expect([1, 2].map((nodeId) => journals.get(nodeId)?.commands[0] instanceof Buffer)).toEqual([false, false]);

    const answers = await Promise.all(addresses.map(async (address) => (await connect(address)).discover()));
    expect(answers.map((answer) => [answer.nodeId, answer.address, answer.highestKnownNodeId])).toEqual([
      [1, addresses[0], 2],
      [2, addresses[1], 2],
    ]);
    expect(answers.map((answer) => answer.role).sort()).toEqual(["FOLLOWER", "LEADER"]);
  });

  test("node management: adds, removes and looks up addresses", () => {
    const transport = new GrpcClusterTransport<Journal>([{ nodeId: 2, address: "127.0.0.1:5002" }]);
    transport.addNode({ nodeId: 1, address: "localhost:5001" });
    transport.addNode({ nodeId: 3, address: "[::1]:5003" });
    expect(transport.nodeIds()).toEqual([1, 2, 3]);
    expect([1, 2, 3, 4].map((nodeId) => transport.getNodeAddress(nodeId))).toEqual([
      "localhost:5001",
      "127.0.0.1:5002",
      "[::1]:5003",
      undefined,
    ]);
    transport.addNode({ nodeId: 3, address: "127.0.0.1:6003" });
    expect(transport.getNodeAddress(3)).toBe("127.0.0.1:6003");
    transport.removeNode(2);
    expect(transport.nodeIds()).toEqual([1, 3]);
    expect(() => transport.removeNode(2)).toThrow(expect.objectContaining({ code: "NODE_UNKNOWN" }));
    expect(() => transport.peer(2)).toThrow(expect.objectContaining({ code: "NODE_UNKNOWN" }));
  });

  test.each(["", "localhost", "127.0.0.1:", "127.0.0.1:70000", ":5001", "a b:1", "::1:5001", "http://x:1"])(
    "refuses the address %j with what to write instead",
    async (address) => {
      const transport = new GrpcClusterTransport<Journal>([]);
      const invalid = expect.objectContaining({
        code: "TRANSPORT_ADDRESS_INVALID",
        message: expect.stringContaining("Write host:port"),
      });
      expect(() => transport.addNode({ nodeId: 1, address })).toThrow(invalid);
      expect(() => new GrpcClusterTransport<Journal>([{ nodeId: 1, address }])).toThrow(invalid);
      await expect(startGrpcServer(address, transport, 1)).rejects.toEqual(invalid);
      await expect(RaftClient.connect(address)).rejects.toEqual(invalid);
    },
  );

  test("names an address in use and what to do about it", async () => {
    const transport = new GrpcClusterTransport<Journal>([]);
    const [address] = await serve(transport, [1]);
    const error = expect.objectContaining({
      code: "TRANSPORT_ADDRESS_IN_USE",
      message: expect.stringMatching(new RegExp(`${address}.*another port`)),
    });
    await expect(startGrpcServer(address ?? "", transport, 2)).rejects.toEqual(error);
  });

  test("refuses to listen on an address that is not this machine's", async () => {
    const transport = new GrpcClusterTransport<Journal>([], { tls: false });
    await expect(startGrpcServer("192.0.2.1:5001", transport, 1)).rejects.toMatchObject({
      code: "TRANSPORT_ADDRESS_INVALID",
    });
  });

  test("tells a client that no node answers, and that a request was not taken", async () => {
    await expect(RaftClient.connect("127.0.0.1:1")).rejects.toMatchObject({ code: "TRANSPORT_PEER_UNREACHABLE" });
    const transport = new GrpcClusterTransport<Journal>([]);
    const [address] = await serve(transport, [1]);
    const client = await connect(address ?? "");
    await expect(client.sendCommand(WORKFLOW_START)).rejects.toMatchObject({
      code: "TRANSPORT_REQUEST_FAILED",
      details: { reason: "group 1 not found" },
    });
    transport.peer(1).open(1, new RecordingReceiver());
    await expect(client.sendCommand(WORKFLOW_START)).rejects.toThrow("no command was expected here");
  });

  test("refuses options that cannot work", () => {
    for (const options of [{ maxQueuedMessages: 0 }, { maxFrameBytes: Number.NaN }, { snapshotChunkBytes: 2 ** 30 }]) {
      expect(() => new GrpcClusterTransport<Journal>([], options)).toThrow(
        expect.objectContaining({ code: "CONFIG_INVALID" }),
      );
    }
  });
});
