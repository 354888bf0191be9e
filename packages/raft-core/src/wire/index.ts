// First: what follows does not run on an old Node.
import "../require-node.ts";

// To read and write protobuf's wire format by hand.

export { malformed, type NumberRefusal, type WireRefusal } from "./refusal.ts";
export { varintBytes, writeVarint } from "./varint.ts";
export { WireReader } from "./wire-reader.ts";
export { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "./wire-types.ts";
export { WireWriter } from "./wire-writer.ts";
