/**
 * What nodes say to each other about blobs: requests beside consensus, each with one answer.
 *
 * | request | answer |
 * |---|---|
 * | offer: this blob is about to be named | how much of it is there |
 * | part: bytes of it from an offset on | how much of it is there then |
 * | fetch: its bytes from an offset on, please | these bytes, or that it is not there |
 *
 * PB1. What is read is checked before it is used: the kind, the hash, lengths and offsets.
 */
import type { BlobName } from "@raftoral/raft-core";
import { WorkflowError } from "../errors.ts";
import { readerOf, writerOf } from "../wire/command-wire.ts";
import { bool, bytes, named, uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";

/** Bytes of a blob in one request or answer. */
export const PART_BYTES = 256 * 1024;
/** No blob is longer: a value of 64 MiB and its envelope's content. */
export const MAX_BLOB_BYTES: number = 64 * 1024 * 1024 + 64 * 1024;

/** A request about one blob. */
export type BlobRequest =
  | { readonly kind: "offer"; readonly blob: BlobName }
  | { readonly kind: "part"; readonly blob: BlobName; readonly offset: number; readonly data: Uint8Array }
  | { readonly kind: "fetch"; readonly blob: BlobName; readonly offset: number };

/** The answer to a request. */
export interface BlobAnswer {
  /** How much of the blob is there. */
  readonly offset: number;
  /** Whether it is there as a whole. */
  readonly isWhole: boolean;
  /** What was asked for. */
  readonly data: Uint8Array;
}

interface WireRequest {
  readonly kind: BlobRequest["kind"];
  readonly hash: Uint8Array;
  readonly length: number;
  readonly offset: number;
  readonly data: Uint8Array;
}

const HASH_BYTES = 32;
const NOTHING: Uint8Array = new Uint8Array(0);
const requestCodec = messageCodec<WireRequest>(
  {
    kind: named(1, ["offer", "part", "fetch"], "request about a blob"),
    hash: bytes(2),
    length: uint(3),
    offset: uint(4),
    data: bytes(5),
  },
  {},
);
const answerCodec = messageCodec<BlobAnswer>({ offset: uint(1), isWhole: bool(2), data: bytes(3) }, {});

/** The bytes of a request. */
export function encodeRequest(request: BlobRequest): Uint8Array {
  const { kind, blob } = request;
  const to = writerOf(128 + ("data" in request ? request.data.length : 0));
  requestCodec.write(to, {
    kind,
    hash: Uint8Array.from(Buffer.from(blob.hash, "hex")),
    length: blob.length,
    offset: "offset" in request ? request.offset : 0,
    data: "data" in request ? request.data : NOTHING,
  });
  // The writer is used once: its view belongs to no other frame.
  return to.view();
}

/** Reads a request (PB1). Throws COMMAND_INVALID. */
export function decodeRequest(given: Uint8Array): BlobRequest {
  const { kind, hash, length, offset, data } = requestCodec.read(readerOf(given));
  if (hash.length !== HASH_BYTES) throw invalid(`a hash of ${hash.length} bytes`);
  if (length < 1 || length > MAX_BLOB_BYTES) throw invalid(`a blob of ${length} bytes`);
  if (offset > length || offset + data.length > length || data.length > PART_BYTES)
    throw invalid(`${data.length} bytes at offset ${offset} of a blob of ${length} bytes`);
  const blob = { hash: Buffer.from(hash).toString("hex"), length };
  if (kind === "offer") return { kind, blob };
  return kind === "part" ? { kind, blob, offset, data } : { kind, blob, offset };
}

/** The bytes of an answer. */
export function encodeAnswer(answer: BlobAnswer): Uint8Array {
  const to = writerOf(32 + answer.data.length);
  answerCodec.write(to, answer);
  return to.view();
}

/** Reads the answer about a blob (PB1). Throws COMMAND_INVALID. */
export function decodeAnswer(given: Uint8Array, { length }: BlobName): BlobAnswer {
  const answer = answerCodec.read(readerOf(given));
  if (answer.offset <= length && answer.data.length <= PART_BYTES) return answer;
  throw invalid(`an answer of ${answer.data.length} bytes, at ${answer.offset} of ${length}`);
}

function invalid(what: string): WorkflowError {
  return new WorkflowError(
    "COMMAND_INVALID",
    `A peer says something about blobs that makes no sense: ${what}. Compare the releases of both nodes.`,
  );
}
