/** The payload codecs that a user gives a node or client. */
import { type BlobVault, type PayloadCodecs, PayloadCoder } from "@raftoral/workflow";
import { NodeError } from "../errors.ts";

/** The coder of the option `payloadCodec`, on a node with its vault. Throws OPTIONS_INVALID for what is no codec, and no list of codecs. */
export function payloadCoderOf(payloadCodec: PayloadCodecs | undefined, vault?: BlobVault): PayloadCoder {
  try {
    return PayloadCoder.of(payloadCodec, vault);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new NodeError("OPTIONS_INVALID", problem, { cause, details: { option: "payloadCodec" } });
  }
}
