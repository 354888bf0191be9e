/**
 * Configuration of a RawNode, with its defaults and its checks.
 *
 * Times are counted in ticks, sizes in bytes. An optional bound that is not given is unlimited, unless its docstring names a default.
 */
import { RaftError } from "./errors.ts";
import type { LogStorage } from "./ports/storage.ts";
import { type LogIndex, NONE, type NodeId, type Term } from "./types.ts";

/**
 * How a read is confirmed (thesis §6.4). `"safe"`: by a round of heartbeats. `"lease-based"`: by the leader's lease, which relies on the clocks of
 * all nodes running at the same pace.
 */
export type ReadOnlyOption = "safe" | "lease-based";

/** What a {@link RawNode} is started with. {@link resolveConfig} checks the values. */
export interface Config {
  /** Id of this node. A positive safe integer. */
  readonly id: NodeId;
  /** The log, hard state and configuration that the core reads. The core never writes to the storage. */
  readonly storage: LogStorage;
  /**
   * Randomness of election timeouts: `below` returns a whole number in `[0, bound)`. The same numbers give the same run. The
   * driver's `Rng` fits.
   */
  readonly rng: { below(bound: number): number };
  /** Shortest election timeout, in ticks. A follower that hears no leader campaigns after one to two times as many ticks, at random. */
  readonly electionTicks: number;
  /** Ticks between two heartbeats of a leader. Less than `electionTicks`. */
  readonly heartbeatTicks: number;
  /** Largest append message in encoded entry bytes; 0 for one entry each. */
  readonly maxMessageBytes: number;
  /** Append messages in flight to one follower. Positive. */
  readonly maxInflightMessages: number;
  /** Payload bytes in flight to one follower; at least `maxMessageBytes`. */
  readonly maxInflightBytes?: number;
  /** Encoded bytes of committed entries that are handed out and not yet reported applied. Defaults to `maxMessageBytes`. */
  readonly maxCommittedBytesPerReady?: number;
  /** Payload bytes that a leader holds uncommitted before it refuses proposals. */
  readonly maxUncommittedBytes?: number;
  /** Index of the last applied entry (0). Given at a restart when the state machine's state survived. */
  readonly applied?: LogIndex;
  /** Whether writes leave as MsgStorageAppend and MsgStorageApply instead of being acknowledged by `advance` (off). */
  readonly asyncStorageWrites?: boolean;
  /** Whether a node asks for pre-votes before it raises its term and asks for votes (off; thesis §9.6). */
  readonly preVote?: boolean;
  /**
   * Whether a leader that hears from no quorum for an election timeout steps down, and followers ignore vote requests while they hear a leader
   * (off; thesis §6.2 and §4.2.3).
   */
  readonly checkQuorum?: boolean;
  /** How reads are confirmed ("safe"). "lease-based" needs `checkQuorum`. */
  readonly readOnly?: ReadOnlyOption;
  /** Whether followers refuse proposals instead of forwarding them to the leader (off). */
  readonly disableProposalForwarding?: boolean;
  /** Whether a leader takes configuration changes without a check against the configuration in force (off). The caller must check them itself. */
  readonly disableConfChangeValidation?: boolean;
  /**
   * Whether a leader that applies its own removal, or its demotion to learner, steps down as soon as the other voters can go on without it (off).
   * Until then the leader leads without a vote. After each change that takes votes away the leader appends an empty entry. Once that entry
   * is committed, the group does not need the nodes that lost their votes any more (raft/removal.ts). Without this option a removed leader
   * leads until another node is elected.
   */
  readonly stepDownOnRemoval?: boolean;
  /**
   * Called for each heartbeat that a leader would send. Returns true if the caller tells `to` the same in another way and steps or hands in the
   * answer of `to` (`RawNode.answeredNothingNew`); the heartbeat is then not sent. With `hasContext` the heartbeat carries a read and is sent whatever
   * the function returns. The function must not call the RawNode.
   */
  readonly carriesHeartbeat?: (to: NodeId, term: Term, commit: LogIndex, hasContext: boolean) => boolean;
}

/** A {@link Config} with every default filled in. */
export type ResolvedConfig = Required<Config>;

const NEVER_CARRIED = () => false;

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
    carriesHeartbeat: config.carriesHeartbeat ?? NEVER_CARRIED,
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
  throw new RaftError("CONFIG_INVALID", `The Raft configuration is invalid; ${field} ${rule}.`, { details: { field } });
}
