/**
 * Failures as they are recorded where a payload codec is in use: name and code stay readable, everything else is encoded with them.
 *
 * SF1. A sealed failure is a failure: a reader without the codec shows its name, its code and {@link SEALED_MESSAGE}.
 * SF2. What is sealed is the whole failure, so that opening it gives it back as it was.
 */
import { WorkflowError } from "../errors.ts";
import type { RecordedError } from "../model/failure.ts";
import type { PayloadCoder } from "./payload-coder.ts";

/** In the place of the text of a failure that is sealed. */
export const SEALED_MESSAGE =
  "The details of this failure are encoded. Read it with the payload codec that encoded it.";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A failure in any of the forms in which one is recorded. */
type Failure = Pick<RecordedError, "name" | "message" | "code" | "sealed">;

/** The failure with its details encoded; as it is without codecs, and when it is sealed already. Rejects with PAYLOAD_CODEC_FAILED. */
export async function sealedFailure<F extends Failure>(
  coder: PayloadCoder,
  failure: F,
  runId: string | undefined,
): Promise<F | Failure> {
  if (coder.isPlain || failure.sealed !== undefined) return failure;
  const plain = encoder.encode(JSON.stringify(failure));
  const what = `failure ${failure.name}`;
  // The answer to a token may be a failure, and the same one may be given again.
  const bytes = await coder.encode(plain, { kind: "failure", runId, what, isCompared: runId === undefined });
  if (bytes === plain) return failure;
  const sealed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  const { name, code } = failure;
  return { name, message: SEALED_MESSAGE, ...(code === undefined ? {} : { code }), sealed };
}

/** The failure with its details. Rejects with PAYLOAD_UNREADABLE or PAYLOAD_CODEC_FAILED. */
export async function openedFailure<F extends Failure>(coder: PayloadCoder, failure: F, what: string): Promise<F> {
  if (failure.sealed === undefined) return failure;
  const bytes = await coder.decode(new Uint8Array(Buffer.from(failure.sealed, "base64")), what);
  try {
    return JSON.parse(decoder.decode(bytes)) as F;
  } catch (cause) {
    throw new WorkflowError(
      "PAYLOAD_UNREADABLE",
      `What the failure of ${what} has sealed is not JSON in UTF-8. Look for who wrote it.`,
      { cause },
    );
  }
}

/** As {@link openedFailure}; the failure as it is, where this process cannot read its details: for those who show it. */
export async function shownFailure<F extends Failure>(coder: PayloadCoder, failure: F, what: string): Promise<F> {
  if (failure.sealed === undefined || coder.isPlain) return failure;
  return openedFailure(coder, failure, what).catch(() => failure);
}

/** The JSON of a failure with its details encoded; other JSON as it is. */
export async function sealedFailureJson(
  coder: PayloadCoder,
  json: Uint8Array,
  runId: string | undefined,
): Promise<Uint8Array> {
  const failure = coder.isPlain ? undefined : failureIn(json);
  if (failure === undefined) return json;
  const sealed = await sealedFailure(coder, failure, runId);
  return sealed === failure ? json : encoder.encode(JSON.stringify(sealed));
}

/** The JSON of a failure with its details. */
export async function openedFailureJson(coder: PayloadCoder, json: Uint8Array, what: string): Promise<Uint8Array> {
  const { sealed } = failureIn(json) ?? {};
  if (sealed === undefined) return json;
  return coder.decode(new Uint8Array(Buffer.from(sealed, "base64")), what);
}

/** Whether this is the JSON of a failure whose details are encoded. */
export function isSealedJson(json: Uint8Array): boolean {
  return failureIn(json)?.sealed !== undefined;
}

function failureIn(json: Uint8Array): Failure | undefined {
  try {
    const value = JSON.parse(decoder.decode(json)) as Partial<Failure> | null;
    return typeof value?.name === "string" && typeof value.message === "string" ? (value as Failure) : undefined;
  } catch {
    return undefined;
  }
}
