/** Tells a transport the addresses of a group's members. */

import type { Logger } from "../../ports/logger.ts";
import type { PeerTransport } from "../../ports/peer-transport.ts";
import type { NodeAddress } from "../../types.ts";

/**
 * Tells the transport the address of every other member. Never throws, but logs addresses that the transport refuses. The addresses are
 * replicated: an error here would stop every node, and again after each restart.
 */
export function learnPeers(transport: PeerTransport, members: readonly NodeAddress[], logger: Logger): void {
  for (const { nodeId, address } of members) {
    if (nodeId === transport.nodeId) continue;
    try {
      transport.setPeer(nodeId, address);
    } catch (error) {
      logger.error({ err: error, nodeId, address }, "a member's address cannot be used; move the member to another");
    }
  }
}
