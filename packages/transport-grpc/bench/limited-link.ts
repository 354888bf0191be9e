/** A network that is slower than loopback: a TCP proxy that passes on so many bytes a second. */
import { once } from "node:events";
import net from "node:net";

/** Passes on at most `bytesPerSecond`, over all connections and both directions together; 0 for no limit. */
export async function proxyTo(address: string, bytesPerSecond: number): Promise<net.Server> {
  const [host, port] = address.split(":");
  let freeAt = 0;
  const pass = (from: net.Socket, to: net.Socket) =>
    from.on("data", (piece) => {
      const now = performance.now();
      freeAt = Math.max(now, freeAt) + (bytesPerSecond === 0 ? 0 : (piece.length / bytesPerSecond) * 1000);
      const wait = freeAt - now;
      if (wait < 1) {
        to.write(piece);
        return;
      }
      from.pause();
      setTimeout(() => {
        to.write(piece);
        from.resume();
      }, wait);
    });
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), host);
    for (const socket of [near, far]) socket.on("error", () => socket.destroy()).setNoDelay(true);
    pass(near, far);
    pass(far, near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
