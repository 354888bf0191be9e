/** Stands between clients and a node, and counts the bytes that the node answers. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A proxy that listens on `address`. */
export interface CountingProxy {
  readonly address: string;
  /** Bytes from the node so far. */
  readonly answeredBytes: number;
  close(): void;
}

/** Opens a proxy on a free port of the loopback, for the node at `address`. */
export async function openCountingProxy(address: string): Promise<CountingProxy> {
  const [host = "", port = ""] = address.split(":");
  const sockets = new Set<Socket>();
  let answeredBytes = 0;
  const server = createServer((client) => {
    const node = connect(Number(port), host);
    for (const [from, to] of [
      [client, node],
      [node, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
    node.on("data", (chunk) => {
      answeredBytes += chunk.length;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get answeredBytes() {
      return answeredBytes;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
