/**
 * Configuration of a RawNode, with its defaults and its checks.
 *
 * Times are counted in ticks, sizes in bytes. A bound that is left out is no bound, unless said otherwise.
 */
import { RaftError } from "./errors.ts";
import type { LogStorage } from "./ports/storage.ts";
import { type LogIndex, NONE, type NodeId, type Term } from "./types.ts";

/** How a read is confirmed: by a round of heartbeats, or by the leader's lease, which trusts that all clocks run at one pace. */
export type ReadOnlyOption = "safe" | "lease-based";

export interface Config {
  /** This node. A positive safe integer. */
  readonly id: NodeId;
  readonly storage: LogStorage;
  /**
   * Randomness of election timeouts: a whole number in `[0, bound)`. The same numbers give the same run. Structurally the
   * driver's `Rng`.
   */
  readonly rng: { below(bound: number): number };
  /** A follower that hears nothing from a leader campaigns after this many ticks, up to twice as many at random. */
  readonly electionTicks: number;
  /** A leader sends heartbeats this often. Less than `electionTicks`. */
  readonly heartbeatTicks: number;
  /** Largest append message in encoded entry bytes; 0 for one entry each. */
  readonly maxMessageBytes: number;
  /** Append messages in flight to one follower. Positive. */
  readonly maxInflightMessages: number;
  /** Payload bytes in flight to one follower; at least `maxMessageBytes`. */
  readonly maxInflightBytes?: number;
  /** Encoded bytes of committed entries handed out and not reported applied. Defaults to `maxMessageBytes`. */
  readonly maxCommittedBytesPerReady?: number;
  /** Payload bytes a leader holds uncommitted before it refuses proposals. */
  readonly maxUncommittedBytes?: number;
  /** Last applied index, for a restart with state that survived. */
  readonly applied?: LogIndex;
  /** Writes leave as MsgStorageAppend and MsgStorageApply instead of being acknowledged by `advance`. */
  readonly asyncStorageWrites?: boolean;
  /** Ask before disturbing (thesis §9.6). */
  readonly preVote?: boolean;
  /** A leader that hears from no quorum for an election timeout steps down; followers honour its lease (thesis §6.2). */
  readonly checkQuorum?: boolean;
  /** "safe" by default. "lease-based" needs `checkQuorum`. */
  readonly readOnly?: ReadOnlyOption;
  /** Followers refuse proposals instead of passing them on. */
  readonly disableProposalForwarding?: boolean;
  /** Configuration changes are not checked against the active configuration when proposed. Only for who checks elsewhere. */
  readonly disableConfChangeValidation?: boolean;
  /**
   * A leader that applies its own removal, or its demotion to learner, steps down as soon as the other voters can go on without it;
   * until then it leads, without a vote. For that it appends an empty entry after each change that takes votes away, its own or
   * others': once that entry is committed, nobody that has lost its vote is needed any more (raft/removal.ts). Off by default: a
   * leader that was removed leads until another is elected.
   */
  readonly stepDownOnRemoval?: boolean;
  /**
   * Asked for each heartbeat that a leader would send: true if who asks sees to it that `to` learns the same in another way, and
   * that its answer is stepped or handed in (`RawNode.answeredNothingNew`). Not asked but told where `hasContext`: it carries
   * a read and is sent in any case. Must not call back.
   */
  readonly carriesHeartbeat?: (to: NodeId, term: Term, commit: LogIndex, hasContext: boolean) => boolean;
}

/** A configuration with everything decided. */
export type ResolvedConfig = Required<Config>;

const NOBODY_CARRIES = () => false;

/** Checks `config` and fills in the defaults. Throws a RaftError CONFIG_INVALID that names the field. */
export function resolveConfig(config: Config): ResolvedConfig {
  const resolved: ResolvedConfig = {
    id: config.id,
    storage: config.storage,
    rng: config.rng,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    maxMessageBytes: config.maxMessageBytes,
    maxInflightMessages: config.maxInflightMessages,
    maxInflightBytes: config.maxInflightBytes ?? Number.POSITIVE_INFINITY,
    maxCommittedBytesPerReady: config.maxCommittedBytesPerReady ?? Math.max(1, config.maxMessageBytes),
    maxUncommittedBytes: config.maxUncommittedBytes ?? Number.POSITIVE_INFINITY,
    applied: config.applied ?? 0,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    preVote: config.preVote ?? false,
    checkQuorum: config.checkQuorum ?? false,
    readOnly: config.readOnly ?? "safe",
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfChangeValidation: config.disableConfChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? false,
    carriesHeartbeat: config.carriesHeartbeat ?? NOBODY_CARRIES,
  };
  check(Number.isSafeInteger(resolved.id) && resolved.id > NONE, "id", "must be a positive safe integer");
  check(Number.isSafeInteger(resolved.heartbeatTicks) && resolved.heartbeatTicks > 0, "heartbeatTicks", "must be > 0");
  check(
    Number.isSafeInteger(resolved.electionTicks) && resolved.electionTicks > resolved.heartbeatTicks,
    "electionTicks",
    "must be a whole number greater than heartbeatTicks",
  );
  check(resolved.maxMessageBytes >= 0, "maxMessageBytes", "must be >= 0");
  check(resolved.maxInflightMessages > 0, "maxInflightMessages", "must be > 0");
  check(resolved.maxInflightBytes >= resolved.maxMessageBytes, "maxInflightBytes", "must be >= maxMessageBytes");
  check(resolved.maxCommittedBytesPerReady > 0, "maxCommittedBytesPerReady", "must be > 0");
  check(resolved.maxUncommittedBytes > 0, "maxUncommittedBytes", "must be > 0");
  check(Number.isSafeInteger(resolved.applied) && resolved.applied >= 0, "applied", "must be an index");
  check(resolved.readOnly === "safe" || resolved.checkQuorum, "readOnly", 'as "lease-based" needs checkQuorum');
  return resolved;
}

function check(condition: boolean, field: string, rule: string): void {
  if (condition) return;
  throw new RaftError("CONFIG_INVALID", `raft configuration: ${field} ${rule}`, { details: { field } });
}
