/**
 * What the driver attaches to each entry it proposes (`Entry.context`), so that every node knows at apply whose proposal it is
 * and what it asks for. An entry without context (a raft-rs peer's, a new leader's empty one) is applied as it is.
 *
 * Format: a byte for the kind, then varints. Kinds are never reused.
 */

import { RaftError } from "../../errors.ts";
import type { NodeId } from "../../types.ts";
import { type Cursor, readVarint, varintBytes, writeVarint } from "../../wire/varint.ts";
import type { SessionId } from "./sessions.ts";

/** Where a proposal stands in its proposer's session. */
export interface ProposalId {
  readonly session: SessionId;
  readonly serial: number;
  /** Serials below it are settled. */
  readonly floor: number;
}

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

export function encodeEntryContext(context: EntryContext): Uint8Array {
  return context.kind === "proposal"
    ? encode(PROPOSAL, context.id.session, context.id.serial, context.id.floor)
    : encode(REGISTER, context.nodeId, context.nonce, 0);
}

/** Throws RaftError CODEC_INVALID for bytes that no driver wrote, or that a newer one did. */
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
        `an entry has a context of kind ${bytes[0]}, which this version does not know; upgrade this node`,
      );
  }
}
