/** A TCP proxy in front of a node, with which a test spoils connections one by one. */
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";

interface Pair {
  readonly near: net.Socket;
  readonly far: net.Socket;
}

/** A proxy for one node. Tests freeze, cut and refuse its connections. */
export class Link {
  readonly #server: net.Server;
  readonly #pairs: Pair[] = [];
  #isRefusing = false;

  /** Listens, and passes everything on to `target` (`host:port`). */
  static async to(target: string): Promise<Link> {
    const link = new Link(target);
    link.#server.listen(0, "127.0.0.1");
    await once(link.#server, "listening");
    return link;
  }

  private constructor(target: string) {
    const { hostname, port } = new URL(`http://${target}`);
    this.#server = net.createServer((near) => {
      if (this.#isRefusing) {
        near.on("error", () => {});
        near.destroy();
        return;
      }
      const far = net.connect(Number(port), hostname);
      for (const socket of [near, far]) socket.on("error", () => {});
      near.on("close", () => far.destroy());
      far.on("close", () => near.destroy());
      near.pipe(far).pipe(near);
      this.#pairs.push({ near, far });
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections so far, in order: the first is a peer's control stream, the second its appends. */
  get connections(): number {
    return this.#pairs.length;
  }

  /** Nothing passes on connection `index` any more, without a notice: half-open on both sides. */
  freeze(index: number): void {
    const { near, far } = this.#pair(index);
    for (const socket of [near, far]) {
      socket.unpipe();
      socket.pause();
    }
  }

  cut(index: number): void {
    const { near, far } = this.#pair(index);
    near.destroy();
    far.destroy();
  }

  /** Whether connections from now on are closed at once. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  close(): void {
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    this.#server.close();
  }

  #pair(index: number): Pair {
    const pair = this.#pairs[index];
    if (pair === undefined) throw new Error(`there are ${this.#pairs.length} connections and none with index ${index}`);
    return pair;
  }
}
