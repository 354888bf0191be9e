/** The only refusal of a peer's message that stops the node. */
import { InvariantViolation } from "../../errors.ts";
import type { Message } from "../../message.ts";
import type { StepOutcome } from "../../raft/outcome.ts";

/**
 * Throws InvariantViolation when `message` was refused because it depends on committed entries that this node acknowledged and
 * does not have any more. If the sender is right, this node's storage lost durable entries, and its votes are not safe (Raft paper
 * §5.4.1 depends on durable logs). The node must stop.
 */
export function assertNothingLost(message: Message, outcome: StepOutcome): void {
  if (outcome.ok || outcome.reason !== "lost-entries") return;
  throw new InvariantViolation(
    `entry ${message.commit} is not in the log, though node ${message.from} says that it is committed and was acknowledged ` +
      "here: was the storage replaced by an older one?",
  );
}
