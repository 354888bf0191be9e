/**
 * A value of a workflow as its users see it: bytes that are decoded when somebody asks for the value, and not before.
 *
 * Role: the one place outside of workflow bodies where values become bytes and bytes become values. Everything below carries the bytes. Payload codecs stand below
 * it (coded-workflows.ts): what users hold has gone through them, or says why it could not.
 */
import { EMPTY_BYTES } from "@raftoral/raft-core";
import {
  BINARY_CONTENT_TYPE,
  decodeValue,
  encodeValue,
  isBinary,
  isEncoded,
  JSON_CONTENT_TYPE,
  type PayloadEnvelope,
  readEnvelope,
} from "@raftoral/workflow";
import { shownInJson } from "./bytes-as-json.ts";

/** What is known of a value that is encoded by a payload codec and could not be decoded. */
export interface EncodedValue {
  readonly contentType: string;
  /** Of the encoded value. */
  readonly encodedBytes: number;
  /** What each codec says of what it did, the last one first: it is undone first. */
  readonly codecs: readonly { readonly codec: string; readonly metadata: Readonly<Record<string, string>> }[];
}

/** An input, result, signal or recorded value: JSON in UTF-8, the envelope of a Uint8Array, or other bytes where a foreign client sent them. No bytes stand for `undefined`. */
export class Payload {
  /** The value's bytes, or the encoded ones while {@link encoded} says that they are. Do not change them. */
  readonly bytes: Uint8Array;
  readonly #what: string;
  readonly #problem: Error | undefined;

  private constructor(bytes: Uint8Array, what: string, problem?: Error) {
    this.bytes = bytes;
    this.#what = what;
    this.#problem = problem;
  }

  /**
   * The payload of a value. `what` names the value in errors: "the input of process_order". The bytes of a payload are taken as they are. Throws
   * VALUE_NOT_SERIALIZABLE for what JSON would change or drop in silence.
   */
  static of(value: unknown, what: string): Payload {
    if (value instanceof Payload) return new Payload(value.bytes, what);
    if (value === undefined) return new Payload(EMPTY_BYTES, what);
    // Nodes have limits of their own; there is none here.
    return new Payload(encodeValue(value, what, Number.POSITIVE_INFINITY), what);
  }

  /**
   * The payload of bytes that are JSON already, or as a payload codec has encoded them. Takes ownership of them. `what` names the value in errors. `problem`: why they
   * could not be decoded.
   */
  static ofBytes(bytes: Uint8Array, what: string, problem?: Error): Payload {
    return new Payload(bytes, what, problem);
  }

  /** What the value is, in errors. */
  get what(): string {
    return this.#what;
  }

  /** `application/json`, `application/octet-stream` for a value that is bytes, or what the envelope of an encoded value says. */
  get contentType(): string {
    if (isBinary(this.bytes)) return BINARY_CONTENT_TYPE;
    return this.encoded?.contentType ?? JSON_CONTENT_TYPE;
  }

  /** What is known of a value that a payload codec has encoded and that could not be decoded here; undefined for every other. */
  get encoded(): EncodedValue | undefined {
    if (!isEncoded(this.bytes)) return undefined;
    const { contentType, layers } = envelopeOf(this.bytes);
    return { contentType, encodedBytes: this.bytes.length, codecs: layers.toReversed() };
  }

  /**
   * The value, decoded at each call. Throws VALUE_UNREADABLE for bytes that are not JSON in UTF-8; PAYLOAD_UNREADABLE for a value that a payload codec has encoded which this
   * process does not have, or not with the right key; and PAYLOAD_CODEC_FAILED when the codec could not decode it now.
   */
  value<T = unknown>(): T {
    if (this.#problem !== undefined) throw this.#problem;
    return decodeValue(this.bytes, this.#what) as T;
  }

  /** What `JSON.stringify` shows: the value; {@link EncodedValue} for one that is encoded; `{ "base64": "...", "contentType": "application/octet-stream" }` for one that is bytes; or `{ "base64": "..." }` for what is none of these. */
  toJSON(): unknown {
    const { encoded } = this;
    if (encoded !== undefined) return { encoded };
    try {
      return shownInJson(this.value());
    } catch {
      return { base64: Buffer.from(this.bytes).toString("base64") };
    }
  }
}

/** A damaged envelope says nothing. */
function envelopeOf(bytes: Uint8Array): Pick<PayloadEnvelope, "contentType" | "layers"> {
  try {
    return readEnvelope(bytes);
  } catch {
    return { contentType: "application/octet-stream", layers: [] };
  }
}
