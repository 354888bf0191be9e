/**
 * What a heartbeat waits for while appends fill their stream: two processes, and a network of 100 Mbit/s in between. Prints JSON lines.
 *
 *     npm run bench:priority --workspace @raftoral/transport-grpc
 *
 * Measured: from handing a heartbeat to the transport to the arrival of its answer, idle and with appends of 64 KiB queued up to the
 * bound. Not measured: Raft, storage.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type GroupReceiver, type Message, message } from "@raftoral/raft-core/transport";
import { GrpcClusterTransport, startGrpcServer } from "@raftoral/transport-grpc";
import { proxyTo } from "./limited-link.ts";

const MEGABITS = 100;
const ROUNDS = 40;

class Listener implements GroupReceiver {
  onReceive: (messages: readonly Message[]) => void = () => {};
  receive(_from: number, messages: readonly Message[]): void {
    this.onReceive(messages);
  }
  async receiveSnapshot(): Promise<void> {}
  async receiveCommand(): Promise<void> {}
  unreachable(): void {}
  describe() {
    return { role: "FOLLOWER" as const, leader: 0, highestKnownNodeId: 2 };
  }
}

async function node(nodeId: number) {
  const address = "127.0.0.1:0";
  const transport = new GrpcClusterTransport([{ nodeId, address }], { maxQueuedBytes: 4 * 1024 * 1024 });
  const server = await startGrpcServer(address, transport, nodeId);
  await transport.start();
  const receiver = new Listener();
  return { transport, server, receiver, channel: transport.peer(nodeId).open(1, receiver) };
}

async function measure(self: Awaited<ReturnType<typeof node>>, name: string, between: () => void): Promise<void> {
  const times: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    between();
    const answered = Promise.withResolvers<void>();
    self.receiver.onReceive = (messages) => {
      if (messages.some(({ commit }) => commit === round)) answered.resolve();
    };
    const start = performance.now();
    const beat = () => self.channel.send([message({ type: "MsgHeartbeat", from: 1, to: 2, term: 1, commit: round })]);
    // As Raft does: a heartbeat that was dropped is followed by another.
    const again = setInterval(beat, 100);
    beat();
    await answered.promise;
    clearInterval(again);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => Number((times[Math.floor(times.length * share)] ?? 0).toFixed(2));
  process.stdout.write(
    `${JSON.stringify({ bench: "heartbeat", name, p50Ms: at(0.5), p90Ms: at(0.9), maxMs: at(0.999) })}\n`,
  );
}

if (process.send !== undefined) {
  process.on("disconnect", () => process.exit(0));
  const { server, transport, receiver, channel } = await node(2);
  receiver.onReceive = (messages) => {
    for (const { type, commit } of messages) {
      if (type === "MsgHeartbeat")
        channel.send([message({ type: "MsgHeartbeatResp", from: 2, to: 1, term: 1, commit })]);
    }
  };
  process.on("message", (address: string) => transport.addNode({ nodeId: 1, address }));
  process.send(server.address);
} else {
  const other = fork(import.meta.filename, { execArgv: process.execArgv });
  const [address] = (await once(other, "message")) as [string];
  const proxy = await proxyTo(address, (MEGABITS * 1e6) / 8);
  const self = await node(1);
  other.send(self.server.address);
  self.transport.addNode({ nodeId: 2, address: `127.0.0.1:${(proxy.address() as AddressInfo).port}` });
  const entries = [{ term: 1, index: 1, type: "EntryNormal" as const, data: new Uint8Array(64 * 1024).fill(7) }];
  const append = message({ type: "MsgApp", from: 1, to: 2, term: 1, entries });
  await measure(self, "idle", () => {});
  await measure(self, "behind appends", () => {
    for (let i = 0; i < 100; i++) self.channel.send([append]);
  });
  other.kill();
  process.exit(0);
}
