/** Where one node finds another: a port of its own for this pair, in front of one address of the other node. */
import { createServer, type Server } from "node:net";
import { formatAddress, parseAddress } from "@raftoral/transport-grpc";
import { ProxiedConnection, type Ways } from "./proxied-connection.ts";

/** What becomes of connections that are made now. */
export type Reception =
  | "passed on"
  /** Accepted, and never answered. */
  | "muted"
  /** Refused, as far as a listening port can: accepted and reset. */
  | "reset";

const HOST = "127.0.0.1";

/** Listens for connections of one node to one address of another, and passes them on as its `reception` says. */
export class PairProxy {
  /** Where the caller is to connect. */
  readonly address: string;
  reception: Reception = "passed on";
  readonly #server: Server;
  readonly #connections = new Set<ProxiedConnection>();

  /** Listens for the calls of `ways.there.from` to `address` of `ways.there.to`. */
  static async listen(address: string, ways: Ways): Promise<PairProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: HOST, port: 0 }, resolve);
    });
    return new PairProxy(server, address, ways);
  }

  private constructor(server: Server, target: string, ways: Ways) {
    const bound = server.address();
    if (typeof bound !== "object" || bound === null) throw new Error("the proxy does not listen on a port");
    this.address = formatAddress({ host: HOST, port: bound.port });
    this.#server = server;
    server.on("connection", (socket) => {
      if (this.reception === "reset") {
        socket.resetAndDestroy();
        return;
      }
      const isMute = this.reception === "muted";
      const connection = new ProxiedConnection(socket, parseAddress(target), ways, isMute, () =>
        this.#connections.delete(connection),
      );
      this.#connections.add(connection);
    });
  }

  /** Connections there are, those included of which only one end is left. */
  get connections(): readonly ProxiedConnection[] {
    return [...this.#connections];
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.reset();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
