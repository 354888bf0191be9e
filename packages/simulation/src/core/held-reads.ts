/** A leader that takes another node's read keeps it, or answers it: it may refuse one, and must not forget one. */
import type { RawNode, StepOutcome } from "@raftoral/raft-core/core";
import type { Message } from "@raftoral/raft-core/transport";
import { Violation } from "../world/violation.ts";

/** Steps a message. Throws a {@link Violation} when a leader took a read, which belongs to no term, and neither holds nor answers it. */
export function stepHoldingReads(raw: RawNode, message: Message): StepOutcome {
  const { type, term } = message;
  if (type !== "MsgReadIndex" || term !== 0 || raw.raft.role !== "StateLeader") return raw.step(message);
  const before = held(raw);
  const outcome = raw.step(message);
  if (outcome.ok && raw.raft.role === "StateLeader" && held(raw) <= before) {
    throw new Violation(
      "read-forgotten",
      `n${raw.raft.id} takes a read of n${message.from}, and holds as many as before`,
    );
  }
  return outcome;
}

function held({ raft }: RawNode): number {
  const answers = raft.messages.filter(({ type }) => type === "MsgReadIndexResp").length + raft.readStates.length;
  return raft.reads.waiting.length + raft.postponedReads.length + answers;
}
