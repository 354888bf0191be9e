/** What became of an input: expected outcomes are values, not exceptions (STYLE, errors of the second kind). */
import type { NodeId } from "../types.ts";

/** Why a proposal was not taken. Nothing of it is in any log; the caller may try again, later or elsewhere. */
export type DropReason =
  /** No leader is known: an election is on, or this node is cut off. */
  | "no-leader"
  /** Another node took this one for the leader. What it passed on goes no further. */
  | "not-leader"
  /** This node does not lead and was told not to pass proposals on. */
  | "forwarding-disabled"
  /** This node leads but has applied its own removal, or its demotion to learner. */
  | "not-a-member"
  /** Leadership is being handed over. */
  | "leadership-transfer"
  /** The leader holds as many uncommitted bytes as it may. */
  | "uncommitted-limit"
  /** The leader holds as many reads of other nodes as it may. Ask again when some are answered. */
  | "read-limit";

/** Why a message was refused before it reached consensus. */
export type RefusalReason =
  /** A message that never leaves its node claims to come from another. */
  | "local-message"
  /** A response from a node that is not in the configuration. */
  | "unknown-peer"
  /** Its content contradicts itself; the sender is broken. */
  | "malformed"
  /**
   * Its term is far beyond this node's. A node that knows no term yet takes such a term once a later message bears it out.
   */
  | "doubtful-term"
  /**
   * It tells that entries are committed which this node has acknowledged and does not have. Unless the sender is broken, this
   * node's storage lost what it had made durable: it must not go on voting.
   */
  | "lost-entries";

export type Outcome<Reason extends string> =
  | { readonly ok: true }
  /** `leaderHint`: the leader this node knows of, or NONE. */
  | { readonly ok: false; readonly reason: Reason; readonly leaderHint: NodeId };

export type ProposeOutcome = Outcome<DropReason>;
export type StepOutcome = Outcome<DropReason | RefusalReason>;

export const ACCEPTED: { readonly ok: true } = Object.freeze({ ok: true });
