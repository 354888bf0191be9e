/**
 * The driver's admission of messages: which of the transport's messages are stepped into the core, and how many are refused.
 *
 * The core's own admission (raft/admission.ts) checks the content of a message. The driver knows two things more: that the message came from
 * outside, and what this node's codecs and executor can read.
 *
 * RM1. No message from outside names this node, or no node, as its sender. The core would take it for the acknowledgement of its own disk, its own
 *      vote or its own read. Requests of this node that other nodes forward may come back to it.
 * RM2. A refused message changes nothing and is counted. A message that shows that entries are lost stops the node, which is intended
 *      (lost-entries.ts).
 */
import type { Message } from "../../message.ts";
import type { RawNode } from "../../raw-node.ts";
import { NONE, type NodeId } from "../../types.ts";
import { assertNothingLost } from "./lost-entries.ts";
import type { ReceivedProposals } from "./received-proposals.ts";

/** Steps the messages of a transport into the core of one group. */
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

  /** Number of messages, and of entries in proposals, that were refused so far. */
  get refused(): number {
    return this.#refused + this.#proposals.refused;
  }

  /** Steps or refuses a message. Throws InvariantViolation for a message that must stop the node (RM2). */
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

  /** Whether the sender named in a message is allowed (RM1). */
  #isFromOutside({ type, from }: Message): boolean {
    if (from !== this.#nodeId && from !== NONE) return true;
    if (type === "MsgProp") return true;
    return from === this.#nodeId && (type === "MsgReadIndex" || type === "MsgTransferLeader");
  }
}
