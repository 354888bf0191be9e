/** The hook through which every value of a workflow passes between its JSON and the bytes that the cluster records. */

/** What a value is of. Attributes, names and ids are none: they stay plain. */
export type PayloadKind =
  | "input"
  | "result"
  | "step"
  | "variable"
  | "signal"
  | "update"
  | "query"
  | "answer"
  | "stream"
  | "heartbeat"
  | "failure";

/** What a codec is told of the value that it encodes. */
export interface EncodeContext {
  /** Of the value before any codec: `application/json`. */
  readonly contentType: string;
  readonly kind: PayloadKind;
  /**
   * The run that the value is encoded for, to choose a key by. Undefined where none is known (the answer to a token). The value may move to other runs: a
   * fork, a parent, a caller. So the run must not be needed to decode it.
   */
  readonly runId: string | undefined;
  /** What the envelope says besides this codec's own metadata: for an encryption's additional authenticated data. The decoder gets the same bytes. */
  readonly associated: Uint8Array;
}

/** What a codec is told of the bytes that it decodes. */
export interface DecodeContext {
  readonly contentType: string;
  /** What the codec said when it encoded the value. Not trustworthy before the codec has checked it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** See {@link EncodeContext.associated}. */
  readonly associated: Uint8Array;
}

/** A value as one codec encoded it. */
export interface EncodedPayload {
  readonly bytes: Uint8Array;
  /** What the codec needs to decode them. Everybody can read it: no secrets. At most 16 entries of at most 256 characters each. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Encodes the values of workflows where they leave a body or a caller, and decodes them where somebody asks for them: on the nodes that execute runs and in
 * clients. Consensus, the log, disks and other nodes see the encoded bytes alone.
 *
 * Both methods may be asynchronous. They must not change the bytes that they get. A value that was encoded once is decoded for as long as it is kept: a codec
 * decodes everything that it ever encoded.
 */
export interface PayloadCodec {
  /** Stands in every envelope and finds the codec again: text of 1 to 100 characters that never changes. */
  readonly name: string;
  /**
   * The encoded value; undefined leaves it as it is. An error is taken for one that passes: the value is encoded again after a pause, by a node for as long as it has the run,
   * and a client's call rejects with PAYLOAD_CODEC_FAILED. Result and metadata have at most 512 bytes more than `bytes`.
   */
  encode(bytes: Uint8Array, context: EncodeContext): EncodedPayload | undefined | Promise<EncodedPayload | undefined>;
  /**
   * The value again. An error with `retryable: true` is one that passes (a key service that does not answer); any other says that this process cannot read the value: a run that needs
   * it is held until a node comes that can.
   */
  decode(bytes: Uint8Array, context: DecodeContext): Uint8Array | Promise<Uint8Array>;
  /**
   * A digest of at most 64 bytes, equal for equal bytes and for as long as possible. It stands readable beside inputs and answers, so that a repeated start or answer is known for the
   * same although it was encoded afresh. Without one the SHA-256 of the value stands there.
   */
  digest?(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** One codec, or several: each encodes what the one before it gave. Decoding goes the other way. */
export type PayloadCodecs = PayloadCodec | readonly PayloadCodec[];
