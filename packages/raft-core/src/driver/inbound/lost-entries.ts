/** The one refusal of a peer's message that stops the node. */
import { InvariantViolation } from "../../errors.ts";
import type { Message } from "../../message.ts";
import type { StepOutcome } from "../../raft/outcome.ts";

/**
 * Throws InvariantViolation when `message` was refused because it counts on committed entries that this node acknowledged and
 * no longer has. A broken sender is refused and forgotten; but if this one is right, a vote of this node is worth nothing any
 * more (Raft paper §5.4.1 counts on durable logs), and to stand still is the only safe thing to do.
 */
export function assertNothingLost(message: Message, outcome: StepOutcome): void {
  if (outcome.ok || outcome.reason !== "lost-entries") return;
  throw new InvariantViolation(
    `entry ${message.commit} is not in the log, though node ${message.from} says that it is committed and was acknowledged ` +
      "here: was the storage replaced by an older one?",
  );
}
