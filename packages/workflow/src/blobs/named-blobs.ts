/** The blobs that commands name, as they are applied: what a node has to have. */
import { type BlobName, EMPTY_BYTES } from "@raftoral/raft-core";
import { blobIn } from "../model/payload-envelope.ts";

/** Deeper than any value in a command. */
const MAX_DEPTH = 5;
/** The first byte of every envelope (payload-envelope.ts EV1). */
const FIRST_BYTE = 0xff;

/** Whether the bytes of a command may name a blob: most have no byte like the first of an envelope. */
export function mayName(bytes: Uint8Array): boolean {
  return bytes.includes(FIRST_BYTE);
}

/** The blobs that the values of a command refer to. */
export function blobsNamedBy(command: object): readonly BlobName[] {
  const found: BlobName[] = [];
  look(command, found, 0);
  return found;
}

function look(value: unknown, found: BlobName[], depth: number): void {
  if (value instanceof Uint8Array) {
    const blob = value === EMPTY_BYTES ? undefined : blobIn(value);
    if (blob !== undefined) found.push(blob);
    return;
  }
  if (typeof value !== "object" || value === null || depth === MAX_DEPTH) return;
  for (const each of Array.isArray(value) ? value : Object.values(value)) look(each, found, depth + 1);
}
