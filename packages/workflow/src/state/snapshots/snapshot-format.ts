/**
 * The bytes of a workflow snapshot: the magic, a format version, then records of (kind, length, content). A run's
 * streams and checkpoints follow it, and the progress of its steps. The content of a record has protobuf's field encoding, so that fields can be added.
 */
import { WorkflowError } from "../../errors.ts";

/** "RWFS" */
export const SNAPSHOT_MAGIC: readonly number[] = Object.freeze([0x52, 0x57, 0x46, 0x53]);
export const SNAPSHOT_FORMAT_VERSION = 7;
/** Largest record in bytes: a run's input or a checkpoint's value, and what stands around it. */
export const MAX_RECORD_BYTES = 256 * 1024 * 1024;

/** Kinds of records beside those of `snapshot-records.ts`, from whose numbers these differ. */
export const RECORD = Object.freeze({
  header: 1,
  run: 3,
  checkpoint: 4,
  end: 5,
  progress: 7,
  stream: 8,
  streamBatch: 9,
  streamScope: 10,
  update: 11,
  attributeChange: 12,
});

/** What a snapshot that cannot be restored is refused with. */
export function invalid(what: string, cause?: unknown): WorkflowError {
  return new WorkflowError("SNAPSHOT_INVALID", `The workflow snapshot cannot be restored: ${what}`, { cause });
}
