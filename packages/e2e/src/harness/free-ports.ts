/** Ports of the loopback interface for nodes that must be found there again after a restart. */
import { createServer } from "node:net";

/**
 * Where to look: below what Linux, macOS and Windows give to outgoing connections, so that none of those takes a dead
 * node's port before it is back.
 */
const FIRST_PORT = 20_000;
const PORTS = 12_000;
const MAX_TRIES = 200;

/** Ports that were given out by this process already. */
const taken = new Set<number>();

/** `count` addresses, as `127.0.0.1:port`, where no process listens. Throws when none can be found. */
export async function freeAddresses(count: number): Promise<readonly string[]> {
  const addresses: string[] = [];
  for (let tries = 0; addresses.length < count; tries += 1) {
    if (tries > MAX_TRIES) throw new Error(`no free ports were found on 127.0.0.1 in ${MAX_TRIES} tries`);
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (taken.has(port) || !(await isFree(port))) continue;
    taken.add(port);
    addresses.push(`127.0.0.1:${port}`);
  }
  return addresses;
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once("error", () => resolve(false));
  server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}
