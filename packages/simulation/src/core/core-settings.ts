/** What a seed decides about a run of bare cores before it begins: the group, the core's options, and what its owner is like. */
import type { Config } from "@raftoral/raft-core/core";
import type { Random } from "../world/random.ts";

export interface CoreSettings {
  readonly voters: number;
  readonly learners: number;
  /** The core's own options, the same on every node. */
  readonly config: Omit<Config, "id" | "storage" | "rng" | "applied">;
  readonly isAsync: boolean;
  /** Where the initial snapshot stands. */
  readonly begin: { readonly index: number; readonly term: number; readonly hasHardState: boolean };
  /** The storage shows a write before it is durable. */
  readonly seesEarly: boolean;
  /** A new commit index alone is not written: it rides on the next write, and a crash forgets it. */
  readonly writesCommitLazily: boolean;
  /** The application's state survives a crash by itself; otherwise the log is applied again from the snapshot on. */
  readonly hasDurableState: boolean;
  /** Synchronous mode: a leader's appends leave while it still writes (thesis §10.2.1). */
  readonly sendsAppendsEarly: boolean;
  /** When a received snapshot is stored, what was handed out before is applied first; otherwise it never is. */
  readonly appliesBeforeSnapshot: boolean;
  /** Every message passes through the wire format. */
  readonly throughCodec: boolean;
  /** All clocks tick together, so that a lease proves as much as a round. */
  readonly ticksTogether: boolean;
  /** Actions before everything is healed. */
  readonly actions: number;
}

/** Draws the settings of one run. */
export function drawCoreSettings(random: Random): CoreSettings {
  const flag = (probability = 0.5): boolean => random.chance(probability);
  const isAsync = flag(0.6);
  const checkQuorum = flag(0.6);
  const isLeaseBased = checkQuorum && flag(0.3);
  const maxMessageBytes = random.oneOf(0, 0, 40, 100_000);
  const index = random.oneOf(1, 1, 7);
  return {
    voters: random.oneOf(1, 2, 2, 3, 3, 3, 3, 4, 5),
    learners: random.oneOf(0, 0, 0, 1),
    config: {
      electionTicks: isLeaseBased ? random.whole(4, 6) : random.whole(2, 4),
      heartbeatTicks: 1,
      maxMessageBytes,
      maxInflightMessages: random.oneOf(1, 2, 16),
      maxInflightBytes: flag(0.2) ? Math.max(maxMessageBytes, 30) : Number.POSITIVE_INFINITY,
      maxCommittedBytesPerReady: random.oneOf(1, 60, 100_000),
      maxUncommittedBytes: random.oneOf(12, 400, Number.POSITIVE_INFINITY),
      asyncStorageWrites: isAsync,
      preVote: flag(),
      checkQuorum,
      readOnly: isLeaseBased ? "lease-based" : "safe",
      disableProposalForwarding: flag(0.15),
      stepDownOnRemoval: flag(0.7),
    },
    isAsync,
    begin: { index, term: random.oneOf(1, 1, 5), hasHardState: flag(0.7) },
    seesEarly: isAsync && flag(0.4),
    writesCommitLazily: flag(0.7),
    hasDurableState: flag(0.3),
    sendsAppendsEarly: flag(0.4),
    appliesBeforeSnapshot: flag(),
    throughCodec: flag(0.1),
    ticksTogether: isLeaseBased,
    actions: random.oneOf(60, 120, 120, 240),
  };
}
