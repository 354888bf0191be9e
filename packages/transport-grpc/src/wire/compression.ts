/**
 * Compression of frames and chunks, and of nothing but their bytes: what a stream may use is negotiated in its hello.
 *
 * Invariants:
 * Z1. Decompressing never yields, nor allocates for, more than the bound it is given: a bomb is refused, whatever it claims.
 * Z2. Any bytes decompress or throw TRANSPORT_FRAME_INVALID or _TOO_LARGE.
 */
import zlib from "node:zlib";
import { TransportError } from "@raftoral/raft-core";
import { Feature } from "../gen/raftoral/v1/peer_pb.ts";

/** As in gRPC's `grpc-encoding`. "deflate" is zlib's format (RFC 1950) there. */
export type CompressionName = "zstd" | "deflate";

/** One way to compress frames and chunks. */
export interface Compression {
  readonly name: CompressionName;
  /** What says in a hello and its answer that frames may be compressed so. */
  readonly feature: Feature;
  compress(bytes: Uint8Array): Buffer;
  /** Throws TRANSPORT_FRAME_TOO_LARGE when the result would be above `maxBytes`, TRANSPORT_FRAME_INVALID for bytes that are none. */
  decompress(bytes: Uint8Array, maxBytes: number): Buffer;
}

/** The cheapest level: frames must not wait for the last percent. */
const ZSTD_LEVEL = 1;
const DEFLATE_LEVEL = 1;
/** No frames need a larger window, and a frame's header could ask for 128 MiB of memory. */
const ZSTD_MAX_WINDOW_LOG = 24;
/** Results grow by this much: few steps for a frame, little waste for a small one. */
const OUTPUT_STEP_BYTES = 128 * 1024;

const deflate: Compression = {
  name: "deflate",
  feature: Feature.DEFLATE_FRAMES,
  compress: (bytes) => zlib.deflateSync(bytes, { level: DEFLATE_LEVEL, chunkSize: OUTPUT_STEP_BYTES }),
  decompress: (bytes, maxBytes) =>
    bounded(maxBytes, () => zlib.inflateSync(bytes, { maxOutputLength: maxBytes, chunkSize: OUTPUT_STEP_BYTES })),
};

const zstd: Compression = {
  name: "zstd",
  feature: Feature.ZSTD_FRAMES,
  compress: (bytes) =>
    zlib.zstdCompressSync(bytes, {
      chunkSize: OUTPUT_STEP_BYTES,
      params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
    }),
  decompress: (bytes, maxBytes) =>
    bounded(maxBytes, () =>
      zlib.zstdDecompressSync(bytes, {
        maxOutputLength: maxBytes,
        chunkSize: OUTPUT_STEP_BYTES,
        params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_MAX_WINDOW_LOG },
      }),
    ),
};

/** What this process can do: Node has zstd from 22.15 on. */
const AVAILABLE: readonly Compression[] = typeof zlib.zstdCompressSync === "function" ? [zstd, deflate] : [deflate];

/** All that this process can do. */
export const COMPRESSION_FEATURES: readonly Feature[] = AVAILABLE.map(({ feature }) => feature);

/** Undefined for a name that this process does not know. */
export function compressionNamed(name: string | undefined): Compression | undefined {
  return AVAILABLE.find((compression) => compression.name === name);
}

function bounded(maxBytes: number, decompress: () => Buffer): Buffer {
  try {
    return decompress();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new TransportError(
        "TRANSPORT_FRAME_TOO_LARGE",
        `Compressed bytes stand for more than the bound of ${maxBytes} bytes. Raise maxFrameBytes here, or lower it at the sender.`,
        { cause, details: { maxFrameBytes: maxBytes } },
      );
    }
    throw new TransportError(
      "TRANSPORT_FRAME_INVALID",
      "Bytes that should be compressed are not. Check that the caller is a Raftoral node.",
      { cause },
    );
  }
}
