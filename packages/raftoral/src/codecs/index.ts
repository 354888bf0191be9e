/** Payload codecs that are ready to use: `import { compression, encryption } from "raftoral/codecs"`. */
export { type CompressionAlgorithm, type CompressionOptions, compression } from "./compression.ts";
export { type EncryptionOptions, encryption } from "./encryption.ts";
