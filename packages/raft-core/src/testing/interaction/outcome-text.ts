/** Refusals as texts of etcd/raft's errors. */
import type { StepOutcome } from "../../raft/outcome.ts";

/** The text of a refusal; undefined for an accepted input. */
export function refusalText(outcome: StepOutcome): string | undefined {
  if (outcome.ok) return undefined;
  switch (outcome.reason) {
    case "local-message":
      return "raft: cannot step raft local message";
    case "unknown-peer":
      return "raft: cannot step as peer not found";
    case "malformed":
      return "raft: cannot step a malformed message";
    case "lost-entries":
      return "raft: cannot step a message about entries that were lost";
    default:
      return "raft proposal dropped";
  }
}
