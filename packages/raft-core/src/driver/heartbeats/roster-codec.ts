/**
 * The bytes of coalesced heartbeats and of their answers: varints, one after the other. They travel in the `context` of a
 * MsgHeartbeat and a MsgHeartbeatResp of {@link HEARTBEAT_GROUP}, so every transport carries them as it carries any heartbeat.
 */

import { RaftError } from "../../errors.ts";
import type { GroupId, LogIndex, Term } from "../../types.ts";
import { type Cursor, readVarint, varintBytes, writeVarint } from "../../wire/varint.ts";

/** No group's id: what travels under it is between the nodes themselves. */
export const HEARTBEAT_GROUP: GroupId = Number.MAX_SAFE_INTEGER;

/**
 * Groups that one node may list to another. A sender lists no more, and a receiver takes no more; groups beyond have plain
 * heartbeats.
 */
export const MAX_LISTED_GROUPS = 65_536;

const FORMAT = 1;

/** What a leader says of a group. A `term` of 0 takes the group off the roster. */
export interface RosterLine {
  readonly groupId: GroupId;
  readonly term: Term;
  readonly commit: LogIndex;
}

/** "I lead all groups on my roster, as of `version`." */
export interface Pulse {
  /** Which roster: a sender begins one anew under another number. */
  readonly roster: number;
  /** Counts the pulses of a roster, from 1. */
  readonly round: number;
  /** `lines` lead from any version since `base`, 0 for an empty roster, to `version`. */
  readonly base: number;
  readonly version: number;
  readonly lines: readonly RosterLine[];
}

/** "I have heard round `round`." */
export interface PulseAnswer {
  readonly roster: number;
  readonly round: number;
  /** The version of the roster that is held, 0 for none: then no group has heard anything. */
  readonly version: number;
  /** Groups of the roster that this answer does not speak for. */
  readonly except: readonly GroupId[];
}

export function encodePulse({ roster, round, base, version, lines }: Pulse): Uint8Array {
  const numbers = [FORMAT, roster, round, base, version, lines.length];
  for (const { groupId, term, commit } of lines) numbers.push(groupId, term, commit);
  return encode(numbers);
}

/** Throws RaftError CODEC_INVALID. */
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

export function encodePulseAnswer({ roster, round, version, except }: PulseAnswer): Uint8Array {
  return encode([FORMAT, roster, round, version, except.length, ...except]);
}

/** Throws RaftError CODEC_INVALID. */
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
    throw new RaftError("CODEC_INVALID", `coalesced heartbeats of format ${format}, not ${FORMAT}`);
  return cursor;
}

const next = readVarint;

/** How many items of `numbers` numbers follow: no more than there are bytes for, so that a lie costs nothing. */
function count(cursor: Cursor, numbers: number): number {
  const items = readVarint(cursor);
  if (items <= MAX_LISTED_GROUPS && items * numbers <= cursor.bytes.length - cursor.at) return items;
  throw new RaftError("CODEC_INVALID", `coalesced heartbeats announce ${items} groups and do not have them`);
}

function end({ bytes, at }: Cursor): void {
  if (at !== bytes.length) throw new RaftError("CODEC_INVALID", "coalesced heartbeats have bytes behind their end");
}
