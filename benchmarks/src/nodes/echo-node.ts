/** One of two processes between which a message goes to and fro over the gRPC transport, without Raft. */
import { performance } from "node:perf_hooks";
import { type Message, message } from "@raftoral/raft-core/core";
import type { GroupChannel, GroupReceiver } from "@raftoral/raft-core/transport";
import { GrpcClusterTransport, startGrpcServer } from "@raftoral/transport-grpc";
import { serve } from "../child-process.ts";
import { percentile } from "../statistics.ts";

let channel: GroupChannel | undefined;
let transport: GrpcClusterTransport<never> | undefined;
let self = 0;
let peer = 0;
let arrived: (() => void) | undefined;

const entry = { term: 1, index: 1, type: "EntryNormal" as const, data: new Uint8Array(256) };

function ping(index: number): Message {
  return message({ type: "MsgApp", from: self, to: peer, term: 1, index, entries: [entry] });
}

const receiver: GroupReceiver = {
  receive(_from, messages) {
    if (arrived !== undefined) arrived();
    else for (const { index } of messages) channel?.send([ping(index)]);
  },
  receiveSnapshot: () => Promise.reject(new Error("no snapshots here")),
  receiveCommand: () => Promise.reject(new Error("no commands here")),
  unreachable: () => {},
  describe: () => ({ role: "FOLLOWER", leader: 0, highestKnownNodeId: 2 }),
};

async function roundTrip(index: number, timeoutMs: number): Promise<boolean> {
  const back = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    arrived = () => {
      clearTimeout(timer);
      resolve(true);
    };
  });
  channel?.send([ping(index)]);
  return await back;
}

serve({
  async listen(options: { readonly nodeId: number; readonly peer: number }): Promise<string> {
    self = options.nodeId;
    peer = options.peer;
    transport = new GrpcClusterTransport<never>([]);
    await transport.start();
    const server = await startGrpcServer("127.0.0.1:0", transport, self);
    return server.address;
  },
  connect(address: string): void {
    transport?.addNode({ nodeId: peer, address });
    channel = transport?.peer(self).open(1, receiver);
  },
  async roundTripP50Ms(count: number): Promise<number> {
    while (!(await roundTrip(0, 100)));
    const latencies: number[] = [];
    for (let i = 1; i <= count; i++) {
      const start = performance.now();
      if (!(await roundTrip(i, 5_000))) throw new Error(`message ${i} was lost`);
      latencies.push(performance.now() - start);
    }
    return percentile(latencies, 0.5);
  },
});
