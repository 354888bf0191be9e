/** What a failed call over Connect means to a client of a node: errors of the transport, with what to do. */
import { Code, ConnectError } from "@connectrpc/connect";
import { TransportError } from "@raftoral/raft-core";
import { tlsFailure } from "../security/tls-failure.ts";

/**
 * TRANSPORT_TLS_FAILED for a call that got no encrypted connection, or whose caller the node at `address` turned away; undefined
 * for any other failure.
 */
export function securityFailure(error: unknown, address: string): TransportError | undefined {
  const failure = ConnectError.from(error);
  if (failure.code !== Code.Unauthenticated) return tlsFailure(failure, address);
  return new TransportError("TRANSPORT_TLS_FAILED", `${address} turns this caller away: ${failure.rawMessage}.`, {
    cause: error,
    details: { address, reason: "UNAUTHENTICATED" },
  });
}
