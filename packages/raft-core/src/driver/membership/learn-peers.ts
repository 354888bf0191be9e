/** Tells a transport where the members of a group are. */

import type { Logger } from "../../ports/logger.ts";
import type { PeerTransport } from "../../ports/peer-transport.ts";
import type { NodeAddress } from "../../types.ts";

/**
 * Never throws: these addresses are replicated, and whoever stops for one that cannot be used stops everywhere, and again
 * after each restart.
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
