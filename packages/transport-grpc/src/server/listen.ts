/** Binding a server to an address, with errors that say what to do. */
import type { AddressInfo, Server } from "node:net";
import { TransportError } from "@raftoral/raft-core";
import { formatAddress, type HostPort } from "../address.ts";

/** Resolves with the address that is listened on, its port decided. Throws TRANSPORT_ADDRESS_IN_USE, _INVALID. */
export async function listen(
  server: Pick<Server, "listen" | "address" | "on" | "off">,
  at: HostPort,
): Promise<HostPort> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(listenError(error, formatAddress(at)));
    server.on("error", onError);
    server.listen({ host: at.host, port: at.port }, () => {
      server.off("error", onError);
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  return { host: at.host, port: bound.port };
}

function listenError(error: NodeJS.ErrnoException, address: string): TransportError {
  const details = { address, errno: error.code };
  if (error.code === "EADDRINUSE") {
    return new TransportError(
      "TRANSPORT_ADDRESS_IN_USE",
      `${address} is in use by another process. Stop that process, or listen on another port (0 picks a free one).`,
      { cause: error, details },
    );
  }
  return new TransportError(
    "TRANSPORT_ADDRESS_INVALID",
    `No listening on ${address} (${error.code ?? error.message}). Use an address of this machine and a port that the process may open.`,
    { cause: error, details },
  );
}
