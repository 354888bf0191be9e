/**
 * Compression of values.
 *
 * CM1. A value stays as it is below a number of bytes, and when compressing makes it no smaller.
 * CM2. Decompressing gives as many bytes as the envelope says, and never more than `maxBytes`: a small value cannot fill the memory.
 * CM3. The work is done on Node's worker threads.
 */
import { promisify } from "node:util";
import zlib from "node:zlib";
import type { PayloadCodec } from "@raftoral/workflow";
import { NodeError } from "../api/errors.ts";

/** How values are compressed. `zstd` needs Node 22.15 or newer in all processes. */
export type CompressionAlgorithm = "gzip" | "brotli" | "zstd";

/** Options of {@link compression}. */
export interface CompressionOptions {
  /** Values of fewer bytes stay as they are (1,024). */
  readonly thresholdBytes?: number;
  /** How new values are compressed (`gzip`). Values of the others are read all the same. */
  readonly algorithm?: CompressionAlgorithm;
  /** Bytes that a value has at most once it is decompressed (64 MiB). */
  readonly maxBytes?: number;
}

const DEFAULT_THRESHOLD_BYTES = 1024;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
/** Fast, and nearly as small as the best for JSON. */
const BROTLI_QUALITY = 4;

interface Algorithm {
  readonly compress: (bytes: Uint8Array) => Promise<Buffer>;
  readonly decompress: (bytes: Uint8Array, maxBytes: number) => Promise<Buffer>;
}

const ALGORITHMS: Readonly<Record<CompressionAlgorithm, Algorithm | undefined>> = {
  gzip: {
    compress: promisify<Uint8Array, Buffer>(zlib.gzip),
    decompress: (bytes, maxOutputLength) =>
      promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip)(bytes, { maxOutputLength }),
  },
  brotli: {
    compress: (bytes) =>
      promisify<Uint8Array, zlib.BrotliOptions, Buffer>(zlib.brotliCompress)(bytes, {
        params: {
          [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
          [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    decompress: (bytes, maxOutputLength) =>
      promisify<Uint8Array, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress)(bytes, { maxOutputLength }),
  },
  // Nodes before 22.15 do not have it.
  zstd:
    typeof zlib.zstdCompress !== "function"
      ? undefined
      : {
          compress: promisify<Uint8Array, Buffer>(zlib.zstdCompress),
          decompress: (bytes, maxOutputLength) =>
            promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress)(bytes, { maxOutputLength }),
        },
};

/** A codec that compresses large values. Throws OPTIONS_INVALID. The name in envelopes is `compression`. In a list of codecs it stands before an encryption. */
export function compression(options: CompressionOptions = {}): PayloadCodec {
  const { thresholdBytes = DEFAULT_THRESHOLD_BYTES, algorithm = "gzip", maxBytes = DEFAULT_MAX_BYTES } = options;
  for (const [name, value] of Object.entries({ thresholdBytes, maxBytes }))
    if (!Number.isSafeInteger(value) || value < 0) throw invalid(`${name} is no whole number from 0 on`);
  const chosen = Object.hasOwn(ALGORITHMS, algorithm) ? ALGORITHMS[algorithm] : undefined;
  if (chosen === undefined) throw invalid(`algorithm ${String(algorithm)} is not one that this Node has`);
  return {
    name: "compression",
    async encode(bytes) {
      if (bytes.length < thresholdBytes || bytes.length > maxBytes) return undefined;
      const compressed = await chosen.compress(bytes);
      if (compressed.length >= bytes.length) return undefined;
      return { bytes: compressed, metadata: { algorithm, bytes: String(bytes.length) } };
    },
    async decode(bytes, { metadata }) {
      const name = metadata.algorithm ?? "";
      const used = Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name as CompressionAlgorithm] : undefined;
      if (used === undefined) throw new Error(`it is compressed with ${name}, which this Node does not have`);
      const expected = Number(metadata.bytes);
      if (!Number.isSafeInteger(expected) || expected < 1 || expected > maxBytes)
        throw new Error(`it says that it has ${metadata.bytes} bytes, and ${maxBytes} are allowed at most`);
      const plain = await used.decompress(bytes, expected);
      if (plain.length !== expected) throw new Error(`it has ${plain.length} bytes and says ${expected}`);
      return plain;
    },
  };
}

function invalid(problem: string): NodeError {
  return new NodeError("OPTIONS_INVALID", `The options of compression cannot be used: ${problem}. Correct them.`);
}
