/**
 * The bytes of coalesced heartbeats and of their answers: varints, one after the other. They travel in the `context` of a
 * MsgHeartbeat and a MsgHeartbeatResp of {@link HEARTBEAT_GROUP}, so every transport carries them as it carries any heartbeat.
 */

import { RaftError } from "../../errors.ts";
import type { GroupId, LogIndex, Term } from "../../types.ts";
import { type Cursor, readVarint, varintBytes, writeVarint } from "../../wire/varint.ts";

/** The group id of pulses and their answers. No group of an application has it. */
export const HEARTBEAT_GROUP: GroupId = Number.MAX_SAFE_INTEGER;

/**
 * Groups that one node may list to another. A sender does not list more, and a receiver does not accept more. Further groups send plain
 * heartbeats.
 */
export const MAX_LISTED_GROUPS = 65_536;

const FORMAT = 1;

/** One group on a roster: its leader's term and commit index. A `term` of 0 takes the group off the roster. */
export interface RosterLine {
  readonly groupId: GroupId;
  readonly term: Term;
  readonly commit: LogIndex;
}

/** Tells a peer that the sender leads all groups on its roster, as of `version`. */
export interface Pulse {
  /** Number of the roster. A sender that begins a new roster gives it another number. */
  readonly roster: number;
  /** Counts the pulses of a roster, from 1. */
  readonly round: number;
  /** `lines` are the changes from `base`, or any later version, to `version`. 0 stands for the empty roster. */
  readonly base: number;
  /** The version of the roster after `lines`. */
  readonly version: number;
  readonly lines: readonly RosterLine[];
}

/** Tells the sender of a pulse that it was received. */
export interface PulseAnswer {
  readonly roster: number;
  readonly round: number;
  /** The version of the roster that the answering node holds. 0 means none: the pulse reached no group. */
  readonly version: number;
  /** Groups on the roster for which this answer does not count. */
  readonly except: readonly GroupId[];
}

/** Encodes a pulse as varints. */
export function encodePulse({ roster, round, base, version, lines }: Pulse): Uint8Array {
  const numbers = [FORMAT, roster, round, base, version, lines.length];
  for (const { groupId, term, commit } of lines) numbers.push(groupId, term, commit);
  return encode(numbers);
}

/** Decodes a pulse. Throws RaftError CODEC_INVALID for bytes that are no pulse. */
export function decodePulse(bytes: Uint8Array): Pulse {
  const cursor = begin(bytes);
  const [roster, round, base, version] = [next(cursor), next(cursor), next(cursor), next(cursor)];
  const lines: RosterLine[] = [];
  for (let left = count(cursor, 3); left > 0; left--) {
    lines.push({ groupId: next(cursor), term: next(cursor), commit: next(cursor) });
  }
  end(cursor);
  return { roster, round, base, version, lines };
}

/** Encodes the answer to a pulse as varints. */
export function encodePulseAnswer({ roster, round, version, except }: PulseAnswer): Uint8Array {
  return encode([FORMAT, roster, round, version, except.length, ...except]);
}

/** Decodes the answer to a pulse. Throws RaftError CODEC_INVALID for bytes that are no answer. */
export function decodePulseAnswer(bytes: Uint8Array): PulseAnswer {
  const cursor = begin(bytes);
  const [roster, round, version] = [next(cursor), next(cursor), next(cursor)];
  const except: GroupId[] = [];
  for (let left = count(cursor, 1); left > 0; left--) except.push(next(cursor));
  end(cursor);
  return { roster, round, version, except };
}

function encode(numbers: readonly number[]): Uint8Array {
  let size = 0;
  for (const each of numbers) size += varintBytes(each);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const each of numbers) at = writeVarint(bytes, at, each);
  return bytes;
}

function begin(bytes: Uint8Array): Cursor {
  const cursor = { bytes, at: 0 };
  const format = next(cursor);
  if (format !== FORMAT)
    throw new RaftError(
      "CODEC_INVALID",
      `Coalesced heartbeats have format ${format}; this node reads format ${FORMAT}.`,
    );
  return cursor;
}

const next = readVarint;

/** Reads how many items of `numbers` numbers follow. A count for which there are too few bytes is refused, so that it costs no memory. */
function count(cursor: Cursor, numbers: number): number {
  const items = readVarint(cursor);
  if (items <= MAX_LISTED_GROUPS && items * numbers <= cursor.bytes.length - cursor.at) return items;
  throw new RaftError("CODEC_INVALID", `Coalesced heartbeats are cut off; they announce ${items} groups.`);
}

function end({ bytes, at }: Cursor): void {
  if (at === bytes.length) return;
  throw new RaftError(
    "CODEC_INVALID",
    `Coalesced heartbeats end at byte ${at} of ${bytes.length}; the rest is unknown.`,
  );
}
