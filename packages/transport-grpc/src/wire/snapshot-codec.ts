/**
 * Parts of a snapshot on the wire. Chunks are written and read by hand: nearly all bytes are theirs, and generated code would
 * copy each chunk twice. Everything else is small and left to generated code.
 *
 * Invariants:
 * K1. A chunk is never copied here: its header goes out by itself, ahead of it, and what is read is a view of what came in.
 * K2. Any bytes decode, or throw TRANSPORT_FRAME_INVALID.
 */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type RaftError, TransportError } from "@raftoral/raft-core";
import { varintBytes, WireReader, writeVarint } from "@raftoral/raft-core/wire";
import { type SendSnapshotRequest, SendSnapshotRequestSchema } from "../gen/raftoral/v1/peer_pb.ts";
import { frameOf, PREFIX_BYTES, writePrefix } from "./grpc-framing.ts";

/** SendSnapshotRequest.data, length-delimited. */
const DATA_PART = 0x12;
/** SnapshotData: offset, varint; data, length-delimited; crc32, fixed32; plain_bytes, varint. */
const OFFSET = 0x08;
const DATA = 0x12;
const CRC32 = 0x1d;
const PLAIN_BYTES = 0x20;
const FIXED32_BYTES = 4;

/** More than what a frame has around its chunk. */
export const MAX_BYTES_AROUND_CHUNK = 64;

/** What stands before a chunk's data. */
export interface ChunkHeader {
  /** Bytes of the content before this chunk. */
  readonly offset: number;
  /** Of the chunk before compression. */
  readonly crc32: number;
  /** Length before compression; 0 when it is not compressed. */
  readonly plainBytes: number;
}

/** A piece of a snapshot's content. `data` is a view of the frame. */
export interface Chunk extends ChunkHeader {
  readonly data: Uint8Array;
}

/** A part that is no chunk. */
export type OtherPart = Exclude<SendSnapshotRequest["part"], { case: "data" }>;

/** The part of a frame: a chunk, or something else, undefined where this version does not know it. */
export type SnapshotPart = { readonly case: "chunk"; readonly chunk: Chunk } | OtherPart;

/** What goes out ahead of the bytes of a chunk, which are the end of the frame. */
export function encodeChunkHeader({ offset, crc32, plainBytes }: ChunkHeader, dataBytes: number): Buffer {
  const plain = plainBytes === 0 ? 0 : 1 + varintBytes(plainBytes);
  const around = 1 + varintBytes(offset) + 1 + FIXED32_BYTES + plain + 1 + varintBytes(dataBytes);
  const part = around + dataBytes;
  const message = 1 + varintBytes(part) + part;
  const header = Buffer.allocUnsafe(PREFIX_BYTES + message - dataBytes);
  writePrefix(header, message);
  let at = PREFIX_BYTES;
  header[at++] = DATA_PART;
  at = writeVarint(header, at, part);
  header[at++] = OFFSET;
  at = writeVarint(header, at, offset);
  header[at++] = CRC32;
  at = header.writeUInt32LE(crc32, at);
  if (plainBytes !== 0) {
    header[at++] = PLAIN_BYTES;
    at = writeVarint(header, at, plainBytes);
  }
  // Last, so that the chunk's own memory follows (K1). Protobuf leaves the order of fields open.
  header[at++] = DATA;
  writeVarint(header, at, dataBytes);
  return header;
}

/** The frame of any part but a chunk. */
export function encodePart(part: MessageInitShape<typeof SendSnapshotRequestSchema>["part"] & object): Buffer {
  return frameOf(toBinary(SendSnapshotRequestSchema, create(SendSnapshotRequestSchema, { part })));
}

/** Throws TRANSPORT_FRAME_INVALID (K2). */
export function decodePart(frame: Uint8Array): SnapshotPart {
  try {
    if (frame[0] === DATA_PART) {
      const chunk = decodeChunk(frame);
      if (chunk !== undefined) return { case: "chunk", chunk };
    }
    const { part } = fromBinary(SendSnapshotRequestSchema, frame);
    if (part.case !== "data") return part;
    const { offset, data, crc32, plainBytes } = part.value;
    return { case: "chunk", chunk: { offset: Number(offset), data, crc32, plainBytes } };
  } catch (cause) {
    const why = cause instanceof Error ? (cause as RaftError).message : String(cause);
    throw new TransportError("TRANSPORT_FRAME_INVALID", `A part of a snapshot is not what it should be: ${why}`, {
      cause,
    });
  }
}

/** Undefined where there is more than a chunk as it is written here: then unknown fields and repeated ones are generated code's. */
function decodeChunk(frame: Uint8Array): Chunk | undefined {
  const reader = new WireReader(frame);
  reader.field();
  const outer = reader.enter();
  let offset = 0;
  let crc32 = 0;
  let plainBytes = 0;
  let data: Uint8Array = frame.subarray(0, 0);
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === OFFSET >>> 3) offset = reader.uint();
    else if (field === DATA >>> 3) data = reader.view();
    else if (field === PLAIN_BYTES >>> 3) plainBytes = reader.uint();
    else if (field === CRC32 >>> 3) crc32 = reader.fixed32();
    else return undefined;
  }
  reader.leave(outer);
  return reader.atEnd ? { offset, crc32, plainBytes, data } : undefined;
}
