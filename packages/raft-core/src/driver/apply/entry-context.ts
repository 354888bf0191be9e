/**
 * The context that the driver attaches to each entry it proposes (`Entry.context`). It tells every node, when the entry is applied, which proposal
 * the entry is. An entry without context (from a raft-rs peer, or a new leader's empty entry) is applied as it is.
 *
 * Format: a byte for the kind, then varints. Kinds are never reused.
 */

import { RaftError } from "../../errors.ts";
import type { NodeId } from "../../types.ts";
import { type Cursor, readVarint, varintBytes, writeVarint } from "../../wire/varint.ts";
import type { SessionId } from "./sessions.ts";

/** Identifies a proposal by its session and its serial there. */
export interface ProposalId {
  readonly session: SessionId;
  readonly serial: number;
  /** All serials of the session below the floor are settled. */
  readonly floor: number;
}

/** The decoded context of an entry. */
export type EntryContext =
  /** The entry's data is a command or a configuration change of this session. */
  | { readonly kind: "proposal"; readonly id: ProposalId }
  /** Opens a session for the driver that chose `nonce`. */
  | { readonly kind: "register"; readonly nodeId: NodeId; readonly nonce: number };

const PROPOSAL = 1;
const REGISTER = 2;

function encode(kind: number, a: number, b: number, c: number): Uint8Array {
  const bytes = new Uint8Array(1 + varintBytes(a) + varintBytes(b) + varintBytes(c));
  bytes[0] = kind;
  writeVarint(bytes, writeVarint(bytes, writeVarint(bytes, 1, a), b), c);
  return bytes;
}

/** Encodes a context: one byte for the kind, then varints. */
export function encodeEntryContext(context: EntryContext): Uint8Array {
  return context.kind === "proposal"
    ? encode(PROPOSAL, context.id.session, context.id.serial, context.id.floor)
    : encode(REGISTER, context.nodeId, context.nonce, 0);
}

/** Decodes a context. Throws RaftError CODEC_INVALID for bytes that no driver or only a newer one writes. */
export function decodeEntryContext(bytes: Uint8Array): EntryContext {
  const cursor: Cursor = { bytes, at: 1 };
  const a = readVarint(cursor);
  const b = readVarint(cursor);
  const c = readVarint(cursor);
  switch (bytes[0]) {
    case PROPOSAL:
      return { kind: "proposal", id: { session: a, serial: b, floor: c } };
    case REGISTER:
      return { kind: "register", nodeId: a, nonce: b };
    default:
      throw new RaftError(
        "CODEC_INVALID",
        `An entry has a context of kind ${bytes[0]}, which this version does not know. Upgrade this node.`,
      );
  }
}
