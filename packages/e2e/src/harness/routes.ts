/**
 * Leads connections that this process makes to other places: where a test has a proxy between two nodes.
 *
 * Below everything that connects (peer streams, snapshots, calls from node to node, with TLS or without), so that none of it
 * goes past the proxy, and nothing that is published has a seam for it. Each process has routes of its own: that is how the
 * proxy knows who calls.
 */
import { type NetConnectOpts, Socket } from "node:net";

/** `host:port` that is called, to `host:port` that is connected to. */
export type Routes = Readonly<Record<string, string>>;

/** For all connections that are made from now on, until the process ends. To be called once. */
export function routeConnections(routes: Routes): void {
  const connect = Socket.prototype.connect;
  Socket.prototype.connect = function routed(this: Socket, ...args: unknown[]): Socket {
    // `net.connect` and `tls.connect` hand over one array of [options, listener], which they must get back as it is.
    const list = Array.isArray(args[0]) ? args[0] : args;
    const [options] = list as [NetConnectOpts];
    if (typeof options === "object" && "port" in options) {
      const route = routes[`${options.host ?? "localhost"}:${options.port}`];
      if (route !== undefined) {
        const colon = route.lastIndexOf(":");
        list[0] = { ...options, host: route.slice(0, colon), port: Number(route.slice(colon + 1)) };
      }
    }
    return Reflect.apply(connect, this, args) as Socket;
  };
}
