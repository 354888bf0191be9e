// A process that calls a peer all the time, for tests of what its answers may do to it: `node lone-caller.ts ADDRESS`.
//
// Tells its parent how many calls have ended, and ends with it. Nothing catches what is thrown.
import type { AnyExecutor } from "@raftoral/raft-core";
import { fixedContent, numbered, RecordingReceiver, snapshotAnnouncement } from "@raftoral/raft-core/testing";
import { RaftClient } from "../client/raft-client.ts";
import { GrpcClusterTransport } from "../grpc-cluster-transport.ts";

const TIMEOUT_MS = 200;
const PAUSE_MS = 2;

const address = process.argv[2] ?? "";
const transport = new GrpcClusterTransport<AnyExecutor>(
  [
    { nodeId: 1, address: "127.0.0.1:1" },
    { nodeId: 2, address },
  ],
  {
    connectTimeoutMs: TIMEOUT_MS,
    snapshotIdleTimeoutMs: TIMEOUT_MS,
    snapshotResumeTimeoutMs: 1,
    keepaliveIntervalMs: 50,
    minBackoffMs: 0,
    maxBackoffMs: 0,
    refusedBackoffMs: 0,
  },
);
await transport.start();
const channel = transport.peer(1).open(1, new RecordingReceiver());

/** Calls again and again; a call that fails is over like any other. */
async function keepCalling(what: string, call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    await call().catch(() => {});
    process.send?.(what);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

process.on("disconnect", () => process.exit(0));
setInterval(() => channel.send([numbered(1, 2, 1)]), PAUSE_MS);
void keepCalling("snapshot", () =>
  channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(new Uint8Array(100_000))),
);
void keepCalling("delegation", () => channel.delegateSnapshot?.(2, snapshotAnnouncement(1, 3), 1) ?? Promise.resolve());
void keepCalling("discover", async () => {
  const client = await RaftClient.connect(address, { timeoutMs: TIMEOUT_MS });
  try {
    await client.discover();
  } finally {
    client.close();
  }
});
