/**
 * What a peer stream costs: two processes on loopback, 300-byte appends. Prints JSON lines.
 *
 *     npm run bench --workspace @raftoral/transport-grpc [-- --tls]
 *
 * Measured: the transport alone (queue, codec, framing, HTTP/2, delivery to a receiver that answers), and for comparison a
 * bidirectional Connect stream that carries the same bytes. Not measured: Raft, storage, the network.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { type GroupReceiver, type Message, message } from "@raftoral/raft-core/transport";
import { GrpcClusterTransport, startGrpcServer, type TlsOptions } from "@raftoral/transport-grpc";
import { CertificateAuthority } from "../src/testing/certificate-authority.ts";
import { connectEcho, measureConnect } from "./connect-stream.ts";

const SECONDS = 3;
/** With `--tls` everything is encrypted; the other process gets the certificates by its environment. */
const TLS_VARIABLE = "RAFTORAL_BENCH_TLS";
const data = new Uint8Array(300).fill(7);

function append(from: number, to: number, index: number): Message {
  const entries = [{ term: 1, index, type: "EntryNormal" as const, data }];
  return message({ type: "MsgApp", from, to, term: 1, logTerm: 1, index: index - 1, commit: index, entries });
}

class Echo implements GroupReceiver {
  received = 0;
  onReceive: (messages: readonly Message[]) => void = () => {};
  receive(_from: number, messages: readonly Message[]): void {
    this.received += messages.length;
    this.onReceive(messages);
  }
  async receiveSnapshot(_announcement: Message, content: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of content) this.received += chunk.length;
  }
  async receiveCommand(): Promise<void> {}
  unreachable(): void {}
  describe() {
    return { role: "FOLLOWER" as const, leader: 0, highestKnownNodeId: 2 };
  }
}

async function node(nodeId: number, peers: { nodeId: number; address: string }[]) {
  const tls = process.env[TLS_VARIABLE];
  const options = tls === undefined ? {} : { tls: JSON.parse(tls) as TlsOptions };
  const transport = new GrpcClusterTransport([...peers, { nodeId, address: "127.0.0.1:0" }], options);
  const server = await startGrpcServer("127.0.0.1:0", transport, nodeId, { routes: connectEcho });
  await transport.start();
  const receiver = new Echo();
  const channel = transport.peer(nodeId).open(1, receiver);
  return { transport, server, receiver, channel };
}

async function child(): Promise<void> {
  // The parent is gone, however it ended.
  process.on("disconnect", () => process.exit(0));
  const [parent] = (await once(process, "message")) as [string];
  const { server, receiver, channel } = await node(2, [{ nodeId: 1, address: parent }]);
  const answer = message({ type: "MsgAppResp", from: 2, to: 1, term: 1 });
  // One answer per frame, as a follower gives one per append.
  receiver.onReceive = (messages) => channel.send([{ ...answer, index: messages.at(-1)?.commit ?? 0 }]);
  process.send?.(server.address);
}

function print(fields: object): void {
  process.stdout.write(`${JSON.stringify(fields)}\n`);
}

/** Keeps `inFlight` messages unacknowledged; an answer acknowledges everything up to its index, as an append's does. */
async function measure(name: string, inFlight: number): Promise<void> {
  let sent = 0;
  let acknowledged = 0;
  let sentAt = 0;
  const latencies: number[] = [];
  const done = Promise.withResolvers<void>();
  const end = performance.now() + SECONDS * 1000;
  const fill = () => {
    const messages: Message[] = [];
    while (sent - acknowledged < inFlight) messages.push(append(1, 2, ++sent));
    sentAt = performance.now();
    self.channel.send(messages);
  };
  self.receiver.onReceive = (messages) => {
    acknowledged = messages.at(-1)?.index ?? 0;
    if (inFlight === 1) latencies.push(performance.now() - sentAt);
    if (performance.now() < end) fill();
    else if (acknowledged === sent) done.resolve();
  };
  const framesBefore = self.transport.counters(1).framesSent;
  const cpu = process.cpuUsage();
  const start = performance.now();
  fill();
  await done.promise;
  const ms = performance.now() - start;
  const used = process.cpuUsage(cpu);
  const frames = self.transport.counters(1).framesSent - framesBefore;
  latencies.sort((a, b) => a - b);
  print({
    bench: name,
    inFlight,
    framesPerSecond: Math.round((frames / ms) * 1000),
    messagesPerSecond: Math.round((sent / ms) * 1000),
    cpuUsPerRoundTrip: Number(((used.user + used.system) / frames).toFixed(1)),
    ...(inFlight === 1 ? { p50Ms: Number((latencies[latencies.length >> 1] ?? 0).toFixed(3)) } : {}),
  });
}

async function measureSnapshot(bytes: number): Promise<void> {
  const chunk = new Uint8Array(256 * 1024).fill(3);
  const content = async function* () {
    for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
  };
  const confState = { voters: [1, 2], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
  const snapshot = { metadata: { confState, index: 5, term: 1 }, data: new Uint8Array(0) };
  const start = performance.now();
  await self.channel.sendSnapshot(message({ type: "MsgSnap", from: 1, to: 2, term: 1, snapshot }), content());
  const seconds = (performance.now() - start) / 1000;
  print({ bench: "snapshot", bytes, megabytesPerSecond: Math.round(bytes / seconds / 1e6) });
}

const isChild = process.send !== undefined;
if (!isChild && process.argv.includes("--tls")) {
  const authority = await CertificateAuthority.create();
  // Node 99 is the other process before it knows who it is.
  const uris = [1, 2, 99].map((nodeId) => `uri:raftoral://default/node/${nodeId}`);
  const { cert, key } = await authority.issue({ names: ["ip:127.0.0.1", ...uris] });
  process.env[TLS_VARIABLE] = JSON.stringify({ ca: authority.ca, cert, key });
}
const self = await node(isChild ? 99 : 1, []);
if (isChild) await child();
else {
  const other = fork(import.meta.filename, { execArgv: process.execArgv });
  other.send(self.server.address);
  const [address] = (await once(other, "message")) as [string];
  self.transport.addNode({ nodeId: 2, address });
  await measure("warm-up", 64);
  for (const inFlight of [1, 64, 1024]) await measure("exchange", inFlight);
  await measureSnapshot(512 * 1024 * 1024);
  // Connect's own client is for comparison; it has no certificates here.
  if (process.env[TLS_VARIABLE] === undefined) {
    for (const inFlight of [1, 64]) print(await measureConnect(address, inFlight, SECONDS));
  }
  other.kill();
  process.exit(0);
}
