/**
 * The driver's door: what of a transport's messages is stepped into the core, and how many were not.
 *
 * The core's own door (raft/admission.ts) looks at what a message says. This one knows two things more: that it came from outside,
 * and what this node's codecs and executor can read.
 *
 * RM1. Nothing from outside speaks as this node, or as nobody: the core would take it for its own disk's acknowledgement, its own
 *      vote or its own read. What others pass on for their first sender may come back to it.
 * RM2. A message that is refused changes nothing, and is counted. One that tells of lost entries stops the node, which is meant
 *      (lost-entries.ts).
 */
import type { Message } from "../../message.ts";
import type { RawNode } from "../../raw-node.ts";
import { NONE, type NodeId } from "../../types.ts";
import { assertNothingLost } from "./lost-entries.ts";
import type { ReceivedProposals } from "./received-proposals.ts";

export class ReceivedMessages {
  readonly #nodeId: NodeId;
  readonly #raw: Pick<RawNode, "step">;
  readonly #proposals: ReceivedProposals;
  #refused = 0;

  constructor(nodeId: NodeId, raw: Pick<RawNode, "step">, proposals: ReceivedProposals) {
    this.#nodeId = nodeId;
    this.#raw = raw;
    this.#proposals = proposals;
  }

  /** Messages, and entries of proposals, that were refused so far. */
  get refused(): number {
    return this.#refused + this.#proposals.refused;
  }

  /** Throws InvariantViolation for the one message that must stop the node (RM2). */
  step(message: Message): void {
    if (message.to !== this.#nodeId || !this.#isFromOutside(message)) {
      this.#refused += 1;
      return;
    }
    const outcome = this.#raw.step(this.#proposals.readable(message));
    if (outcome.ok) return;
    assertNothingLost(message, outcome);
    switch (outcome.reason) {
      case "malformed":
      case "local-message":
      case "unknown-peer":
      case "doubtful-term":
      case "read-limit":
        this.#refused += 1;
    }
  }

  /** RM1. */
  #isFromOutside({ type, from }: Message): boolean {
    if (from !== this.#nodeId && from !== NONE) return true;
    if (type === "MsgProp") return true;
    return from === this.#nodeId && (type === "MsgReadIndex" || type === "MsgTransferLeader");
  }
}
