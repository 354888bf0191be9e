// A node in a process of its own, for tests of what may end a process: `node lone-node.ts [SETTINGS as JSON]`.
//
// Tells its parent where it listens, and ends with it. Nothing catches what is thrown: an uncaught error ends it, with a stack
// on stderr.
import type { AnyExecutor } from "@raftoral/raft-core";
import { RecordingReceiver } from "@raftoral/raft-core/testing";
import { GrpcClusterTransport } from "../grpc-cluster-transport.ts";
import type { GrpcTransportOptions } from "../options.ts";
import { startGrpcServer } from "../server/start-grpc-server.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as GrpcTransportOptions;
const transport = new GrpcClusterTransport<AnyExecutor>([], { connectTimeoutMs: 500, ...options });
const server = await startGrpcServer("127.0.0.1:0", transport, 1);
await transport.start();
transport.peer(1).open(1, new RecordingReceiver());
process.on("disconnect", () => process.exit(0));
process.send?.(server.address);
