// The first import refuses a Node that is too old to run the rest.
import "../require-node.ts";

// Entry for authors of hand-written codecs of protobuf's wire format.

export { malformed, type NumberRefusal, type WireRefusal } from "./refusal.ts";
export { varintBytes, writeVarint } from "./varint.ts";
export { WireReader } from "./wire-reader.ts";
export { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "./wire-types.ts";
export { WireWriter } from "./wire-writer.ts";
