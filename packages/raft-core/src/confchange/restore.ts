/**
 * Rebuilds a configuration from the ConfState of a storage or snapshot.
 *
 * Role: the inverse of `confStateOf`. It uses the Changer, so that a damaged ConfState is refused by the same rules
 * as a bad change.
 */

import { EMPTY_CONFIG } from "../tracker/config.ts";
import type { ConfChangeSingle, ConfChangeType, ConfState, LogIndex, NodeId } from "../types.ts";
import { type ChangeBase, type ChangeResult, Changer } from "./changer.ts";

/** The limits that a new member's progress starts with. */
export type RestoreLimits = Pick<ChangeBase, "maxInflight" | "maxInflightBytes">;

/** The configuration of `confState`, with a new Progress for every member. `lastIndex` is the last index of the log. */
export function restore(limits: RestoreLimits, lastIndex: LogIndex, confState: ConfState): ChangeResult {
  const { maxInflight, maxInflightBytes } = limits;
  const votersOutgoing = changes("AddNode", confState.votersOutgoing);
  const incoming = [
    ...changes("AddNode", confState.voters),
    ...changes("AddLearnerNode", confState.learners),
    ...changes("AddLearnerNode", confState.learnersNext),
  ];
  let result: ChangeResult = { ok: true, config: EMPTY_CONFIG, progress: new Map() };
  // Builds the configuration that was in force first, one voter at a time. If joint, then replaces all of it in one step.
  for (const change of votersOutgoing.length > 0 ? votersOutgoing : incoming) {
    result = new Changer({ ...result, maxInflight, maxInflightBytes }, lastIndex).simple([change]);
    if (!result.ok) return result;
  }
  if (votersOutgoing.length === 0) return result;
  const removals = changes("RemoveNode", confState.votersOutgoing);
  const changer = new Changer({ ...result, maxInflight, maxInflightBytes }, lastIndex);
  return changer.enterJoint(confState.autoLeave, [...removals, ...incoming]);
}

function changes(type: ConfChangeType, ids: readonly NodeId[]): ConfChangeSingle[] {
  return ids.map((nodeId) => ({ type, nodeId }));
}
