/**
 * Configuration changes in the driver: read from an entry, and checked against the configuration in force. A change
 * that cannot be applied is refused on every node alike instead of stopping all of them.
 */
import { Changer } from "../../confchange/changer.ts";
import { restore } from "../../confchange/restore.ts";
import { decodeConfChange, decodeConfChangeV2 } from "../../eraftpb/conf-change.ts";
import { RaftError } from "../../errors.ts";
import { confStateOf } from "../../tracker/config.ts";
import type { ConfChangeV2, ConfState, Entry } from "../../types.ts";

/**
 * The change in an entry of type EntryConfChange or EntryConfChangeV2. A change without changes asks to leave a joint configuration. Throws RaftError
 * CODEC_INVALID for bytes that are no change.
 */
export function readConfChange(entry: Entry): ConfChangeV2 {
  if (entry.type === "EntryConfChangeV2") return decodeConfChangeV2(entry.data);
  const { type, nodeId, context } = decodeConfChange(entry.data);
  return { transition: "Auto", changes: [{ type, nodeId }], context };
}

/** Whether a change leaves a joint configuration, enters one, or is made in one step (thesis §4.3). */
export function kindOf(change: ConfChangeV2): "leave" | "joint" | "simple" {
  if (change.changes.length === 0 && change.transition === "Auto") return "leave";
  return change.transition !== "Auto" || change.changes.length > 1 ? "joint" : "simple";
}

/** The configuration after `change`, or the error CONF_CHANGE_INVALID if `change` cannot be applied to `confState`. Depends on the arguments only. */
export function nextConfState(confState: ConfState, change: ConfChangeV2): ConfState | RaftError {
  const limits = { maxInflight: 1, maxInflightBytes: Number.POSITIVE_INFINITY };
  const current = restore(limits, 1, confState);
  if (!current.ok) return refusal(current.reason);
  const changer = new Changer({ ...current, ...limits }, 1);
  const kind = kindOf(change);
  const next =
    kind === "leave"
      ? changer.leaveJoint()
      : kind === "joint"
        ? changer.enterJoint(change.transition !== "Explicit", change.changes)
        : changer.simple(change.changes);
  if (!next.ok) return refusal(next.reason);
  return next.config.voters.incoming.size === 0 ? refusal("it would leave no voter") : confStateOf(next.config);
}

/** The error if `change` cannot be applied to `confState`; undefined if it can. */
export function checkConfChange(confState: ConfState, change: ConfChangeV2): RaftError | undefined {
  const next = nextConfState(confState, change);
  return next instanceof RaftError ? next : undefined;
}

/** The error for a change that the leader turned down because it takes one change at a time (thesis §4.1). Nothing was changed. */
export function confChangeRefused(): RaftError {
  return new RaftError(
    "CONF_CHANGE_REFUSED",
    "The leader is still carrying out another configuration change, or the configuration is joint. Try again when that change is done.",
    { retryable: true },
  );
}

function refusal(reason: string): RaftError {
  return new RaftError(
    "CONF_CHANGE_INVALID",
    `The configuration change was refused: ${reason}. Propose a change that fits the configuration in force.`,
  );
}
