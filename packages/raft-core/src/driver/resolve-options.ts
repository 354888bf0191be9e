/** Fills in and checks the options of a group, so that a mistake is reported at the start and not by a call that never returns. */
import { RaftError } from "../errors.ts";
import { platformClock, platformRng, silentLogger } from "../ports/platform.ts";
import { CallMeter } from "./calls/call-meter.ts";
import { HEARTBEAT_GROUP } from "./heartbeats/roster-codec.ts";
import {
  DEFAULT_COALESCE_HEARTBEATS_FROM,
  DEFAULT_LIMITS,
  DEFAULT_TIMING,
  type RaftClusterOptions,
  type RaftLimits,
  type ResolvedOptions,
} from "./options.ts";

/** Limits that may be 0: one entry a message, no entries kept behind a snapshot, a timeout at the next tick. */
const MAY_BE_ZERO: ReadonlySet<string> = new Set<keyof RaftLimits>([
  "maxMessageBytes",
  "keepEntries",
  "keepEntriesWhileSending",
  "defaultTimeoutMs",
]);

/**
 * Fills in the defaults. Throws RaftError CONFIG_INVALID that names the option, or the transport's TRANSPORT_ADDRESS_INVALID. The core checks the
 * options that only it uses.
 */
export function resolveOptions<Command, Result>(
  options: RaftClusterOptions<Command, Result>,
): ResolvedOptions<Command, Result> {
  const { nodeId, transport } = options;
  if (transport.nodeId !== nodeId) {
    throw new RaftError(
      "CONFIG_INVALID",
      `The options are for node ${nodeId}, but the transport is that of node ${transport.nodeId}. Give each node its own transport.`,
    );
  }
  if (options.bootstrap?.kind === "members") {
    for (const { address } of options.bootstrap.members) transport.checkAddress?.(address);
  }
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  for (const [field, value] of Object.entries(timing)) {
    if (value > 0 && Number.isFinite(value)) continue;
    throw new RaftError("CONFIG_INVALID", `${field} is ${value}. Give a finite number above 0.`, {
      details: { field },
    });
  }
  for (const [field, value] of Object.entries(limits)) {
    if (value > 0 || (value === 0 && MAY_BE_ZERO.has(field))) continue;
    const rule = MAY_BE_ZERO.has(field) ? "a number from 0" : "a number above 0";
    throw new RaftError("CONFIG_INVALID", `${field} is ${value}. Give ${rule}.`, { details: { field } });
  }
  const clock = options.clock ?? platformClock;
  const { coalesceHeartbeatsFrom = DEFAULT_COALESCE_HEARTBEATS_FROM, groupId = 1 } = options;
  if (!(coalesceHeartbeatsFrom > 0)) {
    throw new RaftError(
      "CONFIG_INVALID",
      `coalesceHeartbeatsFrom is ${coalesceHeartbeatsFrom}. Give a number above 0.`,
    );
  }
  if (!Number.isSafeInteger(groupId) || groupId <= 0 || groupId === HEARTBEAT_GROUP) {
    throw new RaftError(
      "CONFIG_INVALID",
      `groupId is ${groupId}. Give a whole number from 1 to ${HEARTBEAT_GROUP - 1}.`,
    );
  }
  return {
    nodeId,
    groupId,
    transport,
    storage: options.storage,
    executor: options.executor,
    answerRequest: options.answerRequest,
    timing,
    limits,
    preVote: options.preVote ?? true,
    checkQuorum: options.checkQuorum ?? true,
    readOnly: options.readOnly ?? "safe",
    coalesceHeartbeatsFrom,
    clock,
    rng: options.rng ?? platformRng(),
    logger: options.logger ?? silentLogger,
    calls: options.probe === undefined ? undefined : new CallMeter(options.probe, clock),
  };
}
