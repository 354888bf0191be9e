/** Addresses as users write them: `host:port`, IPv6 hosts in brackets. */
import { TransportError } from "@raftoral/raft-core";

/** A host and a port. */
export interface HostPort {
  /** Without brackets. */
  readonly host: string;
  /** 0 asks for a free one, where a server listens. */
  readonly port: number;
}

const SYNTAX = /^(?:\[(?<v6>[0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|(?<name>[\w.-]+)):(?<port>\d{1,5})$/;

/** Throws TRANSPORT_ADDRESS_INVALID. */
export function parseAddress(address: string): HostPort {
  const parts = SYNTAX.exec(address)?.groups;
  const port = Number(parts?.port);
  const host = parts?.v6 ?? parts?.name;
  // What the syntax lets through may still be no host: 999.0.0.1, an IPv6 address with a zone. Connecting would throw.
  if (host === undefined || !(port <= 65_535) || !URL.canParse(`http://${formatAddress({ host, port })}`)) {
    throw new TransportError(
      "TRANSPORT_ADDRESS_INVALID",
      `"${address}" is no address. Write host:port with a port from 0 to 65535, such as 127.0.0.1:5001 or [::1]:5001.`,
      { details: { address } },
    );
  }
  return { host, port };
}

/** The address as text: `host:port`, with brackets around an IPv6 host. */
export function formatAddress({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether others can reach a node by it: a port is set and the host is not "all interfaces". */
export function isReachable({ host, port }: HostPort): boolean {
  return port !== 0 && host !== "0.0.0.0" && host !== "::";
}
