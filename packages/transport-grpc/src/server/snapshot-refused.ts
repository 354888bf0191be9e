/** Why a snapshot is not taken, as an error here and as a refusal there. */
import { RaftoralError, TransportError } from "@raftoral/raft-core";
import type { Refusal } from "../gen/raftoral/v1/peer_pb.ts";
import { type RefusalReason, reasonOf, refusal } from "../wire/hello.ts";

/** What was sent is not taken; `refused` goes back to the sender. */
export class SnapshotRefused extends TransportError {
  readonly refused: Refusal;
  constructor(refused: Refusal) {
    super("TRANSPORT_FRAME_INVALID", refused.message, { details: { reason: reasonOf(refused) } });
    this.refused = refused;
  }
}

/** The error for a snapshot that is not taken. `message` goes to the sender, after the sentence that says so. */
export function snapshotRefused(reason: RefusalReason, message: string): SnapshotRefused {
  return new SnapshotRefused(refusal(reason, message));
}

/** What the sender is told about any failure. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof SnapshotRefused) return error.refused;
  if (error instanceof TransportError && error.code === "TRANSPORT_FRAME_TOO_LARGE") {
    return refusal("FRAME_TOO_LARGE", error.message);
  }
  if (error instanceof TransportError && error.code === "TRANSPORT_FRAME_INVALID") {
    return refusal("PROTOCOL_VIOLATION", error.message);
  }
  const message = error instanceof Error ? error.message : String(error);
  return refusal("SNAPSHOT_REJECTED", message, error instanceof RaftoralError ? error.code : "");
}
