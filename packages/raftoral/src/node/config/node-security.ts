/** What a node checks of TLS before it opens anything that others hear of. */
import { NONE, type NodeAddress, TransportError } from "@raftoral/raft-core";
import { formatAddress, parseAddress, Security } from "@raftoral/transport-grpc";
import type { NodeConfig } from "./node-config.ts";

/**
 * What the options say of TLS. Throws TRANSPORT_PLAINTEXT_REFUSED when the node would listen or be reached in plaintext that
 * was not asked for, TRANSPORT_TLS_INVALID for certificates that cannot be used.
 */
export function nodeSecurity({ listen, advertise, tls }: NodeConfig): Security {
  const security = new Security(tls);
  // A listening address may have a star for every interface, which the transport does not know.
  const at = parseAddress(listen.replace(/^\*:/, "0.0.0.0:"));
  security.check(at, "listen on");
  if (advertise !== undefined) security.check(parseAddress(advertise), "listen on");
  assertOwnCertificate(security, { nodeId: NONE, address: advertise ?? formatAddress(at) });
  return security;
}

/** Throws TRANSPORT_TLS_INVALID when the certificate is not one that others accept from this node. */
export function assertOwnCertificate(security: Security, { nodeId, address }: NodeAddress): void {
  const objection = security.objectionToSelf(nodeId, parseAddress(address));
  if (objection === undefined) {
    security.bindTo(nodeId, parseAddress(address));
    return;
  }
  throw new TransportError(
    "TRANSPORT_TLS_INVALID",
    `Others would not accept this node${nodeId === NONE ? "" : ` as node ${nodeId}`}: ${objection}. Have its certificate made out to it.`,
    { details: { nodeId, address } },
  );
}
