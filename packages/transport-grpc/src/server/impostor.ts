/** Whether who called is the node that its hello says. */

import { formatAddress } from "../address.ts";
import type { Refusal } from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalPeer } from "../local-peer.ts";
import { type Caller, objectionToCaller } from "../security/caller.ts";
import { type AcceptedHello, refusal } from "../wire/hello.ts";

/** The refusal of a caller that is another than it says. Undefined for one that is not. */
export function impostor(caller: Caller, hello: AcceptedHello, local: LocalPeer): Refusal | undefined {
  const known = local.peerAddress(hello.from);
  const objection = objectionToCaller(caller, {
    nodeId: hello.from,
    clusterNames: local.settings.security.clusterNames,
    // What the cluster knows goes before what the caller says of itself.
    address: known === undefined ? hello.address : formatAddress(known),
  });
  if (objection === undefined) return undefined;
  return refusal("CERTIFICATE_MISMATCH", `the caller may not speak as node ${hello.from}: ${objection}`);
}
