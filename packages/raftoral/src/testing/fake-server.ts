/** Serves a node of a test over real HTTP/2. */
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { registerClusterService } from "../service/cluster-routes.ts";
import { registerEventService } from "../service/event-routes.ts";
import { registerLockService } from "../service/lock-routes.ts";
import { registerQueueService } from "../service/queue-routes.ts";
import { registerScheduleService } from "../service/schedule-routes.ts";
import type { ServedNode } from "../service/served-node.ts";
import { registerWorkflowService } from "../service/workflow-routes.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** A node that is served. */
export interface FakeServer {
  readonly address: string;
  /** Closes the port and every connection. */
  close(): Promise<void>;
}

/** Serves a node on a port of the loopback; 0: a free one. */
export async function serveFake(node: ServedNode, port = 0): Promise<FakeServer> {
  const sessions = new Set<ServerHttp2Session>();
  const server: Http2Server = createServer(
    // As a real node's, see transport-grpc.
    { settings: { maxConcurrentStreams: 1000 } },
    connectNodeAdapter({
      routes: (router) => {
        registerWorkflowService(router, () => node, DEFAULT_TIMEOUT_MS);
        registerClusterService(router, () => node, DEFAULT_TIMEOUT_MS);
        registerEventService(router, () => node, DEFAULT_TIMEOUT_MS);
        registerScheduleService(router, () => node, DEFAULT_TIMEOUT_MS);
        registerQueueService(router, () => node, DEFAULT_TIMEOUT_MS);
        registerLockService(router, () => node, DEFAULT_TIMEOUT_MS);
      },
    }),
  );
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const session of sessions) session.destroy();
        server.close(() => resolve());
      }),
  };
}
