/**
 * When compressing frames pays. Prints JSON lines.
 *
 *     npm run bench:compression --workspace @raftoral/transport-grpc
 *
 * First the codecs alone, by size of the frame: what they save, what both ends pay for it in CPU, and the bandwidth below which a
 * frame arrives earlier compressed. Then appends between two processes with a proxy of limited bandwidth in between. Not measured:
 * Raft, storage, other data than JSON commands of some 300 bytes (and noise, which does not compress).
 */
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type GroupReceiver, type Message, message } from "@raftoral/raft-core/transport";
import { GrpcClusterTransport, startGrpcServer } from "@raftoral/transport-grpc";
import { compressionNamed } from "../src/wire/compression.ts";
import { proxyTo } from "./limited-link.ts";

type Choice = "off" | "zstd" | "deflate";
const CHOICES: readonly Choice[] = ["off", "zstd", "deflate"];
const SECONDS = 2;
const IN_FLIGHT = 512;

function command(i: number): Buffer {
  const order = {
    item: `sku-${(i * 7919) % 100_000}`,
    customer: `c-${(i * 104_729) % 1_000_000}`,
    total: (i * 37) % 5000,
  };
  const run = `order-${i.toString(36)}-${((i * 2_654_435_761) >>> 0).toString(16)}`;
  return Buffer.from(
    JSON.stringify({
      kind: "checkpoint",
      run,
      owner: 1 + (i % 3),
      epoch: i % 17,
      path: ["charge", `attempt-${i % 4}`],
      at: 1_790_000_000_000 + i * 13,
      value: {
        status: "confirmed",
        reserved: true,
        ...order,
        note: "paid by card, shipped from the central warehouse",
      },
    }),
  );
}

function print(fields: object): void {
  process.stdout.write(`${JSON.stringify(fields)}\n`);
}

/** Microseconds of one call: the median of many. */
function cost(call: () => void): number {
  const times: number[] = [];
  const end = performance.now() + 300;
  while (performance.now() < end) {
    const start = performance.now();
    call();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return (times[times.length >> 1] ?? 0) * 1000;
}

function measureCodecs(): void {
  for (const kilobytes of [1, 4, 16, 64, 256]) {
    const commands: Buffer[] = [];
    for (let i = 0, bytes = 0; bytes < kilobytes * 1024; i++)
      bytes += commands[commands.push(command(i)) - 1]?.length ?? 0;
    for (const [content, frame] of [
      ["json", Buffer.concat(commands)],
      ["noise", randomBytes(kilobytes * 1024)],
    ] as const) {
      for (const name of ["zstd", "deflate"] as const) {
        const codec = compressionNamed(name);
        if (codec === undefined) continue;
        const small = codec.compress(frame);
        const compressUs = cost(() => codec.compress(frame));
        const decompressUs = cost(() => codec.decompress(small, 1 << 24));
        const saved = frame.length - small.length;
        print({
          bench: "codec",
          codec: name,
          content,
          bytes: frame.length,
          ratio: Number((frame.length / small.length).toFixed(2)),
          compressUs: Math.round(compressUs),
          decompressUs: Math.round(decompressUs),
          paysBelowMegabitsPerSecond: Math.max(0, Math.round((saved * 8) / (compressUs + decompressUs))),
        });
      }
    }
  }
}

class Echo implements GroupReceiver {
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

async function node(nodeId: number, compression: Choice) {
  const transport = new GrpcClusterTransport([{ nodeId, address: "127.0.0.1:0" }], { compression });
  const server = await startGrpcServer("127.0.0.1:0", transport, nodeId);
  await transport.start();
  const receiver = new Echo();
  const channel = transport.peer(nodeId).open(1, receiver);
  return { transport, server, receiver, channel };
}

async function child(): Promise<void> {
  process.on("disconnect", () => process.exit(0));
  const { server, transport, receiver, channel } = await node(2, "off");
  const answer = message({ type: "MsgAppResp", from: 2, to: 1, term: 1 });
  receiver.onReceive = (messages) => {
    const last = messages.findLast(({ type }) => type === "MsgApp");
    if (last !== undefined) channel.send([{ ...answer, index: last.commit }]);
  };
  process.on("message", (address: string) => transport.addNode({ nodeId: 1, address }));
  process.send?.(server.address);
}

async function measureLink(
  other: string,
  tell: (address: string) => void,
  choice: Choice,
  megabits: number,
): Promise<void> {
  const proxy = await proxyTo(other, (megabits * 1e6) / 8);
  const self = await node(1, choice);
  tell(self.server.address);
  self.transport.addNode({ nodeId: 2, address: `127.0.0.1:${(proxy.address() as AddressInfo).port}` });
  let sent = 0;
  let acknowledged = 0;
  let last = performance.now();
  const done = Promise.withResolvers<void>();
  const fill = () => {
    const messages: Message[] = [];
    while (sent - acknowledged < IN_FLIGHT) {
      const entries = [{ term: 1, index: ++sent, type: "EntryNormal" as const, data: command(sent) }];
      messages.push(message({ type: "MsgApp", from: 1, to: 2, term: 1, index: sent - 1, commit: sent, entries }));
    }
    self.channel.send(messages);
  };
  const start = performance.now();
  self.receiver.onReceive = (messages) => {
    acknowledged = messages.at(-1)?.index ?? acknowledged;
    last = performance.now();
    if (last - start < SECONDS * 1000) fill();
    else done.resolve();
  };
  const cpu = process.cpuUsage();
  fill();
  await done.promise;
  const used = process.cpuUsage(cpu);
  print({
    bench: "link",
    compression: choice,
    megabitsPerSecond: megabits === 0 ? "loopback" : megabits,
    messagesPerSecond: Math.round((acknowledged / (last - start)) * 1000),
    cpuUsPerMessage: Number(((used.user + used.system) / acknowledged).toFixed(2)),
  });
  await self.transport.shutdown();
  proxy.close();
}

if (process.send !== undefined) await child();
else {
  measureCodecs();
  for (const megabits of [20, 100, 1000, 0]) {
    for (const choice of CHOICES) {
      // A fresh one each time: it must forget where node 1 was.
      const other = fork(import.meta.filename, { execArgv: process.execArgv });
      const [address] = (await once(other, "message")) as [string];
      await measureLink(address, (mine) => other.send(mine), choice, megabits);
      other.kill();
    }
  }
  process.exit(0);
}
