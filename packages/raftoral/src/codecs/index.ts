/** Payload codecs that are ready to use: `import { compression, encryption } from "raftoral/codecs"`. */
// First: what follows does not run on an old Node.
import "@raftoral/raft-core/require-node";

export { type CompressionAlgorithm, type CompressionOptions, compression } from "./compression.ts";
export { type EncryptionOptions, encryption } from "./encryption.ts";
