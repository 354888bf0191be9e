/**
 * Attaches the core and the replicated state of a group to the receiver that it opens on its transport. The simulation checks its invariants on
 * them while real drivers run. They stand under a symbol that no entry of the package exports, so that no other code depends on them.
 */
import type { GroupReceiver } from "../ports/peer-transport.ts";
import type { RawNode } from "../raw-node.ts";
import type { ReplicatedState } from "./apply/replicated-state.ts";

const INSIDE = Symbol.for("@raftoral/raft-core inside");

/** Attaches `inside` to `receiver`, and returns the receiver. */
export function showingInside<Receiver extends GroupReceiver>(
  receiver: Receiver,
  inside: { readonly raw: RawNode; readonly state: ReplicatedState },
): Receiver {
  return Object.defineProperty(receiver, INSIDE, { value: inside });
}
