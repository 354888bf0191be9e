/**
 * Updates of runs: what callers ask a running body to do, and what it answered.
 *
 * An update is pending until the run's owner accepts it, which is a record in the run's history, and it is answered once: with a value, or with a failure. A pending one
 * that the owner refuses leaves nothing.
 */
import { uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";
import type { CallOrigin } from "./runs/call-chain.ts";

/** Updates of a run that are pending or under way; more are refused with UPDATE_BUFFER_FULL. */
export const MAX_OPEN_UPDATES = 256;
/** Bytes of the inputs of a run's pending updates. */
export const MAX_OPEN_UPDATE_BYTES = 16 * 1024 * 1024;
/** Answered updates that a run remembers: the same id again is answered alike. The latest ones stay. */
export const MAX_ANSWERED_UPDATES = 256;
/** Bytes of their answers. The latest answer stays, however large. */
export const MAX_ANSWERED_UPDATE_BYTES = 4 * 1024 * 1024;
/** Longest id of an update, in UTF-16 units. */
export const MAX_UPDATE_ID_LENGTH = 200;

/** Names of an object's own updates begin like this, and those of its handlers do not. */
export const OWN_PREFIX = "object:";

/** An update's name for people, without what is the engine's own. */
export function shownUpdateName(name: string): string {
  switch (name) {
    case `${OWN_PREFIX}send`:
      return "a call that begins later";
    case `${OWN_PREFIX}delete`:
      return "the deletion of the object";
    case `${OWN_PREFIX}renew`:
      return "the renewal of the object";
    default:
      return name;
  }
}

/** Where an update is on its way. Positions are the numbers on the wire. */
export const UPDATE_STATUSES = ["pending", "accepted", "completed", "failed"] as const;

/** Where an update is on its way. */
export type UpdateStatus = (typeof UPDATE_STATUSES)[number];

/** What an owner says of an update. Positions are the numbers on the wire. */
export const UPDATE_VERDICTS = ["accepted", "rejected", "completed", "failed"] as const;

/** What an owner says of an update. */
export type UpdateVerdict = (typeof UPDATE_VERDICTS)[number];

/** An update that is not answered, as the run's owner needs it. Structured-cloneable. */
export interface OpenUpdate {
  readonly id: string;
  readonly name: string;
  /** From 1, in the order in which the run's updates came, over all of its generations. */
  readonly number: number;
  readonly isAccepted: boolean;
  /** Empty once it is accepted: the record has it. */
  readonly input: Uint8Array;
  /** What the handler's calls follow from, where a body asks; absent for a caller from outside. */
  readonly calledBy?: CallOrigin;
}

/** How many updates a run has, so that a run without any looks for none. */
export interface UpdateTotals {
  /** Number of the one that came last. */
  readonly latest: number;
  /** Pending and accepted ones. */
  readonly open: number;
  /** Bytes of the inputs of the pending ones. */
  readonly openBytes: number;
  /** How many have been answered in all; the latest of them has this place. */
  readonly answered: number;
  /** How many of these are forgotten. */
  readonly forgotten: number;
  /** Bytes of the answers that are remembered. */
  readonly answeredBytes: number;
}

export const NO_UPDATES: UpdateTotals = Object.freeze({
  latest: 0,
  open: 0,
  openBytes: 0,
  answered: 0,
  forgotten: 0,
  answeredBytes: 0,
});

/** Totals as they stand in a run's record. */
export const updateTotalsCodec = messageCodec<UpdateTotals>(
  {
    latest: uint(1),
    open: uint(2),
    openBytes: uint(3),
    answered: uint(4),
    forgotten: uint(5),
    answeredBytes: uint(6),
  },
  {},
);
