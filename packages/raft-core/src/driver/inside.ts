/**
 * The core and the replicated state behind the receiver that a group opens on its transport: for the simulation, whose invariants look at them
 * while real drivers run. Under a symbol that no entry of the package exports: nothing else is to be built on it.
 */
import type { GroupReceiver } from "../ports/peer-transport.ts";
import type { RawNode } from "../raw-node.ts";
import type { ReplicatedState } from "./apply/replicated-state.ts";

const INSIDE = Symbol.for("@raftoral/raft-core inside");

/** Shows what is behind `receiver`, and returns it. */
export function showingInside<Receiver extends GroupReceiver>(
  receiver: Receiver,
  inside: { readonly raw: RawNode; readonly state: ReplicatedState },
): Receiver {
  return Object.defineProperty(receiver, INSIDE, { value: inside });
}
