/** The same bytes over a bidirectional Connect stream, to compare with. */
import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ExchangeRequestSchema, PeerService } from "../src/gen/raftoral/v1/peer_pb.ts";

const payload = new Uint8Array(330).fill(7);

/** PeerService.Exchange under another name, so that Connect serves it. */
const echo = {
  ...PeerService.method.exchange,
  name: "Echo",
  parent: { ...PeerService, typeName: "bench.Echo" },
} as typeof PeerService.method.exchange;

/** Answers every request of a stream. */
export function connectEcho(router: ConnectRouter): void {
  router.rpc(echo, async function* (requests) {
    for await (const _ of requests) yield { answer: { case: "accepted" as const, value: { formatVersion: 1 } } };
  });
}

/**
 * Sends frames for `seconds` with at most `inFlight` unanswered. Gives frames per second, CPU time per round trip in us and, with one in flight, the
 * median latency in ms.
 */
export async function measureConnect(address: string, inFlight: number, seconds: number): Promise<object> {
  const transport = createGrpcTransport({ baseUrl: `http://${address}` });
  const request = create(ExchangeRequestSchema, { batches: [{ groupId: 1n, messages: [payload] }] });
  const waiting: (() => void)[] = [];
  let credit = inFlight;
  let isOver = false;
  const requests = async function* () {
    while (!isOver) {
      if (credit === 0) await new Promise<void>((resolve) => waiting.push(resolve));
      credit--;
      yield request;
    }
  };
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  let last = start;
  let answered = 0;
  const answers = await transport.stream(echo, undefined, undefined, undefined, requests());
  for await (const _ of answers.message) {
    answered++;
    const now = performance.now();
    latencies.push(now - last);
    last = now;
    if (now - start > seconds * 1000) {
      isOver = true;
      break;
    }
    credit++;
    waiting.shift()?.();
  }
  const ms = performance.now() - start;
  const used = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  return {
    bench: "connect-stream",
    inFlight,
    framesPerSecond: Math.round((answered / ms) * 1000),
    cpuUsPerRoundTrip: Number(((used.user + used.system) / answered).toFixed(1)),
    ...(inFlight === 1 ? { p50Ms: Number((latencies[latencies.length >> 1] ?? 0).toFixed(3)) } : {}),
  };
}
