/** The core of a group, configured as the driver needs it and the options say. */
import type { Config } from "../config.ts";
import { RawNode } from "../raw-node.ts";
import type { LogIndex } from "../types.ts";
import type { ResolvedOptions } from "./options.ts";

/** `applied`: how far the state is that was restored before; `carriesHeartbeat` as in the core's configuration. */
export function coreOf<Command, Result>(
  options: ResolvedOptions<Command, Result>,
  applied: LogIndex,
  carriesHeartbeat: Required<Config>["carriesHeartbeat"],
): RawNode {
  const { timing, limits } = options;
  return new RawNode({
    id: options.nodeId,
    storage: options.storage,
    rng: options.rng,
    electionTicks: timing.electionTicks,
    heartbeatTicks: timing.heartbeatTicks,
    maxMessageBytes: limits.maxMessageBytes,
    maxInflightMessages: limits.maxInflightMessages,
    maxCommittedBytesPerReady: limits.maxCommittedBytesPerReady,
    maxUncommittedBytes: limits.maxUncommittedBytes,
    applied,
    asyncStorageWrites: true,
    preVote: options.preVote,
    checkQuorum: options.checkQuorum,
    readOnly: options.readOnly,
    stepDownOnRemoval: true,
    carriesHeartbeat,
  });
}
