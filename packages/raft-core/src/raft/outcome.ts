/** Outcomes of inputs. Expected outcomes are values, not exceptions (errors.ts, the second kind of failure). */
import type { NodeId } from "../types.ts";

/** Why a proposal was dropped. No part of it is in any log. The caller may try again, later or on another node. */
export type DropReason =
  /** No leader is known: an election is on, or this node is cut off. */
  | "no-leader"
  /** Another node took this one for the leader and forwarded a request. A forwarded request is not forwarded again. */
  | "not-leader"
  /** This node does not lead, and `disableProposalForwarding` is set. */
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
  /** The message is of a type that never leaves its node, but comes from another node. */
  | "local-message"
  /** A response from a node that is not in the configuration. */
  | "unknown-peer"
  /** No working node sends such a message: its content contradicts itself or the protocol. */
  | "malformed"
  /** The term is far above this node's. A node without a term accepts such a term when a later message confirms it (term-doubt.ts). */
  | "doubtful-term"
  /**
   * The leader says that this node acknowledged entries which are not in its log. Unless the sender is broken, this
   * node's storage lost durable entries. The node must stop, because its votes are not safe any more.
   */
  | "lost-entries";

/** Whether an input was taken, and if not, why. */
export type Outcome<Reason extends string> =
  | { readonly ok: true }
  /** `leaderHint`: the leader this node knows of, or NONE. */
  | { readonly ok: false; readonly reason: Reason; readonly leaderHint: NodeId };

/** The outcome of a proposal. */
export type ProposeOutcome = Outcome<DropReason>;
/** The outcome of a message from outside. */
export type StepOutcome = Outcome<DropReason | RefusalReason>;

/** The outcome of an input that was taken. */
export const ACCEPTED: { readonly ok: true } = Object.freeze({ ok: true });
