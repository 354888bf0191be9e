/** What is said of values that cannot be encoded or decoded. */
import type { BlobName } from "@raftoral/raft-core";
import { WorkflowError } from "../errors.ts";
import { type PayloadLayer, readEnvelope } from "../model/payload-envelope.ts";

/** Longest reason of a codec that is shown, in UTF-16 units. */
const MAX_REASON_LENGTH = 300;

/** An encoded value that cannot be decoded here. `what` names the value. Says which codec is needed, and what its envelope says of the key. */
export function payloadUnreadable(bytes: Uint8Array, what: string): WorkflowError {
  try {
    const { layers, blob } = readEnvelope(bytes);
    if (blob !== undefined) return blobUnreadable(blob, what);
    return layerUnreadable(
      layers.at(-1) ?? { codec: "", metadata: {} },
      what,
      "no payload codec of that name is given here",
    );
  } catch (error) {
    return error instanceof WorkflowError
      ? error
      : layerUnreadable({ codec: "", metadata: {} }, what, messageOf(error));
  }
}

/** A reference that this process cannot follow: only nodes have blobs. */
export function blobUnreadable({ hash, length }: BlobName, what: string): WorkflowError {
  return new WorkflowError(
    "PAYLOAD_UNREADABLE",
    `The value of ${what} is kept as a blob of ${length} bytes (${hash}), and only its name is here. Ask a node for the value itself: for a result, an input or one variable.`,
    { details: { of: what, codec: "", metadata: {}, blob: hash, bytes: length } },
  );
}

/** A value of which one layer cannot be undone, for a reason. */
export function layerUnreadable(layer: PayloadLayer, what: string, reason: string, cause?: unknown): WorkflowError {
  const { codec, metadata } = layer;
  return new WorkflowError(
    "PAYLOAD_UNREADABLE",
    `The value of ${what} was encoded by payload codec ${layerText(layer)}, and cannot be decoded: ${reason}. Give this process the codec and the keys that the value was encoded with, as payloadCodec.`,
    { cause, details: { of: what, codec, metadata } },
  );
}

/** A codec that could not do its work now. */
export function codecFailed(codec: string, what: string, cause: unknown): WorkflowError {
  return new WorkflowError(
    "PAYLOAD_CODEC_FAILED",
    `Payload codec ${codec} failed with the value of ${what}: ${messageOf(cause).slice(0, MAX_REASON_LENGTH)}. Nothing was recorded. Try again, and look after the codec or its key service if it stays so.`,
    { cause, retryable: true, details: { of: what, codec } },
  );
}

/** A codec and what its layer says, in words: `encryption (keyId k1)`. */
export function layerText({ codec, metadata }: PayloadLayer): string {
  const facts = Object.entries(metadata).map(([key, value]) => `${key} ${value}`);
  return facts.length === 0 ? codec : `${codec} (${facts.join(", ")})`;
}

/** What was thrown, in words and without its last full stop. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    return (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\.$/, "").slice(0, MAX_REASON_LENGTH);
  } catch {
    return "something that cannot be shown as text was thrown";
  }
}
