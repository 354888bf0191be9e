import type { HostPort } from "../address.ts";

/** Where a peer is dialled, and what is known of the peer that must be there. */
export interface DialTarget {
  readonly address: HostPort;
  /** Where the cluster says that the peer is: a certificate that names no node must be good for that host. */
  readonly knownAddress: HostPort;
}
