/**
 * Addresses as people write them: `host:port`, `[v6]:port`.
 */
import { NodeError } from "../errors.ts";

/** A host and a port. */
export interface HostPort {
  /** Without brackets. */
  readonly host: string;
  /** 0 asks for a free port; only meaningful for listening. */
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([^\s:[\]/]+)):(\d{1,5})$/;
const UNSPECIFIED_HOSTS = new Set(["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "*"]);

/** The parts of an address. `what` names the option in the error. Throws OPTIONS_INVALID. */
export function parseAddress(text: string, what: string): HostPort {
  const match = ADDRESS.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65535) {
    throw new NodeError(
      "OPTIONS_INVALID",
      `${what} is ${JSON.stringify(text)}, which is not an address. Write host:port, for example 127.0.0.1:5001 or [::1]:5001.`,
      { details: { option: what } },
    );
  }
  return { host, port };
}

/** An address that others can be sent to: a port, and a host that means one machine. Throws OPTIONS_INVALID. */
export function parseReachableAddress(text: string, what: string): HostPort {
  const address = parseAddress(text, what);
  if (address.port === 0 || isUnspecified(address)) {
    throw new NodeError(
      "OPTIONS_INVALID",
      `${what} is ${JSON.stringify(text)}, where no node can be reached. Give a host and a port, for example 10.0.0.7:5001.`,
      { details: { option: what } },
    );
  }
  return address;
}

/** Whether the host stands for every interface, which is good for listening and useless for being reached. */
export function isUnspecified(address: HostPort): boolean {
  return UNSPECIFIED_HOSTS.has(address.host);
}

/** `host:port`, with brackets around an IPv6 literal. */
export function formatAddress(address: HostPort): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
