/** Creates the core of a group from the driver's options. */
import type { Config } from "../config.ts";
import { RawNode } from "../raw-node.ts";
import type { LogIndex } from "../types.ts";
import type { ResolvedOptions } from "./options.ts";

/** The core of a group. `applied` is the index of the restored state; `carriesHeartbeat` is the option of that name in config.ts. */
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
