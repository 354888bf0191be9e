/**
 * Puts values through the payload codecs of a node or client, and back.
 *
 * PC1. A value without codecs, and one that every codec leaves as it is, stays plain JSON: it has no envelope and costs nothing.
 * PC2. No bytes stand for `undefined`, and are not encoded.
 * PC6. Of a value that is bytes, codecs get the bytes and the content type: its envelope (payload-envelope.ts EV5) is made again when it is decoded.
 * PC3. A value that is encoded is not encoded again: who cannot read it passes it on as it is.
 * PC4. What a codec gives is checked before it is used: its type, and how much it adds. The reserve for that is made where values are bounded.
 * PC6. With a vault, a value that is large once it is encoded becomes a reference to a blob, also one that another process encoded, and a reference is read before anything is decoded. Values that are no part of
 *      the history, and failures, of which name and code are read in the state, do not become one.
 * PC5. A codec is found by the name in the envelope, whatever codecs are in use now: values of yesterday's codecs are read for as long as those are given.
 */
import { RaftError } from "@raftoral/raft-core";
import {
  BINARY_CONTENT_TYPE,
  type EnvelopeHeader,
  headerBytes,
  isBinary,
  isEncoded,
  JSON_CONTENT_TYPE,
  MAX_ENVELOPE_TEXT_LENGTH,
  MAX_PAYLOAD_LAYERS,
  type PayloadLayer,
  readEnvelope,
  writeBinary,
  writeEnvelope,
  writeReference,
} from "../model/payload-envelope.ts";
import type { BlobVault } from "./blob-vault.ts";
import { canonicalJson, sha256 } from "./canonical-json.ts";
import type { PayloadCodec, PayloadCodecs, PayloadKind } from "./payload-codec.ts";
import { blobUnreadable, codecFailed, layerUnreadable, messageOf } from "./payload-errors.ts";

/** Bytes that all codecs together may add to a value, envelope included (PC4). */
export const MAX_ENCODING_OVERHEAD_BYTES = 512;

/** Of a value that no codec has encoded. */
const PLAIN_HEADER: EnvelopeHeader = Object.freeze({
  contentType: JSON_CONTENT_TYPE,
  layers: Object.freeze([]),
  digest: new Uint8Array(0),
});
const MAX_CODEC_NAME_LENGTH = 100;
/** A longer value is compared byte by byte: putting its keys in order would hold up the event loop. */
const MAX_CANONICAL_BYTES = 1024 * 1024;
const NOTHING: Uint8Array = new Uint8Array(0);
/** What does not become a blob (PC6). */
const BOUNDED: ReadonlySet<PayloadKind> = new Set(["failure", "heartbeat", "query", "stream"]);

/** What value is encoded, and for whom. */
export interface ValueContext {
  readonly kind: PayloadKind;
  readonly runId: string | undefined;
  /** Names the value in errors. */
  readonly what: string;
  /** Whether a repeated call is known by this value, so that its envelope needs a digest. */
  readonly isCompared?: boolean;
}

/** Encodes and decodes values (PC1 to PC6). */
export class PayloadCoder {
  /** Of a process without codecs: encodes nothing, and cannot read what others encoded. */
  static readonly PLAIN: PayloadCoder = new PayloadCoder([]);

  readonly #codecs: readonly PayloadCodec[];
  readonly #byName: ReadonlyMap<string, PayloadCodec>;
  /** Where large values are kept; undefined in a client, which leaves that to nodes. */
  readonly #vault: BlobVault | undefined;

  /** The coder of an option. Throws CONFIG_INVALID for what is no codec, for two of one name, and for too many. */
  static of(codecs: PayloadCodecs | undefined, vault?: BlobVault): PayloadCoder {
    const list = (codecs === undefined ? [] : Array.isArray(codecs) ? codecs : [codecs]) as readonly PayloadCodec[];
    return list.length === 0 && vault === undefined ? PayloadCoder.PLAIN : new PayloadCoder(list, vault);
  }

  private constructor(codecs: readonly PayloadCodec[], vault?: BlobVault) {
    if (codecs.length > MAX_PAYLOAD_LAYERS) throw invalid(`it has more than ${MAX_PAYLOAD_LAYERS} codecs`);
    for (const codec of codecs) {
      const { name, encode, decode } = (codec ?? {}) as Partial<PayloadCodec>;
      if (typeof encode !== "function" || typeof decode !== "function") throw invalid("a codec lacks encode or decode");
      if (typeof name !== "string" || name === "" || name.length > MAX_CODEC_NAME_LENGTH)
        throw invalid(`a codec's name is no text of 1 to ${MAX_CODEC_NAME_LENGTH} characters`);
    }
    this.#vault = vault;
    this.#codecs = codecs;
    this.#byName = new Map(codecs.map((codec) => [codec.name, codec]));
    if (this.#byName.size < codecs.length) throw invalid("two codecs have the same name");
  }

  /** Whether there is no codec: then every value stays as it is. */
  get isPlain(): boolean {
    return this.#codecs.length === 0;
  }

  /** From how many bytes on a value of a history becomes a reference (PC6); infinity without a vault. */
  get blobThresholdBytes(): number {
    return this.#vault?.thresholdBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Bytes that encoding adds to a value at most. */
  get overheadBytes(): number {
    return this.isPlain ? 0 : MAX_ENCODING_OVERHEAD_BYTES;
  }

  /** The value as it is to be recorded. Rejects with PAYLOAD_CODEC_FAILED, which is retryable. */
  async encode(value: Uint8Array, context: ValueContext): Promise<Uint8Array> {
    const encoded = await this.#encoded(value, context);
    const isLarge = encoded.length > this.blobThresholdBytes && !BOUNDED.has(context.kind);
    return isLarge ? await this.kept(encoded, context.what) : encoded;
  }

  /** The reference to a blob that has the recorded bytes; a reference stays as it is. Rejects as {@link BlobVault.keep} does. */
  async kept(recorded: Uint8Array, what: string): Promise<Uint8Array> {
    if (this.#vault === undefined) return recorded;
    if (!isEncoded(recorded)) return writeReference(PLAIN_HEADER, await this.#vault.keep(recorded, what));
    const { content, blob, ...header } = readEnvelope(recorded);
    return blob === undefined ? writeReference(header, await this.#vault.keep(content, what)) : recorded;
  }

  /** The bytes as they would be recorded if they were small: those of the blob, in the envelope that its codecs made. Rejects as {@link BlobVault.read} does. */
  async resolved(recorded: Uint8Array, what: string): Promise<Uint8Array> {
    if (this.#vault === undefined || !isEncoded(recorded)) return recorded;
    const { blob, content: _, ...header } = readEnvelope(recorded);
    if (blob === undefined) return recorded;
    const bytes = await this.#vault.read(blob, what);
    return header.layers.length === 0 ? bytes : writeEnvelope(header, bytes);
  }

  async #encoded(value: Uint8Array, { kind, runId, what, isCompared = false }: ValueContext): Promise<Uint8Array> {
    if (this.isPlain || value.length === 0 || isEncoded(value)) return value;
    const digest = isCompared ? await this.#digest(value, what) : NOTHING;
    const layers: PayloadLayer[] = [];
    const contentType = isBinary(value) ? BINARY_CONTENT_TYPE : JSON_CONTENT_TYPE;
    let bytes = isBinary(value) ? readEnvelope(value).content.slice() : value;
    for (const codec of this.#codecs) {
      const associated = headerBytes({ contentType, layers, digest });
      try {
        const encoded = await codec.encode(bytes, { contentType, kind, runId, associated });
        if (encoded === undefined) continue;
        bytes = bytesOf(encoded.bytes);
        layers.push({ codec: codec.name, metadata: checkedMetadata(encoded.metadata) });
      } catch (error) {
        throw codecFailed(codec.name, what, error);
      }
    }
    if (layers.length === 0) return value;
    const envelope = writeEnvelope({ contentType, layers, digest }, bytes);
    if (envelope.length <= value.length + MAX_ENCODING_OVERHEAD_BYTES) return envelope;
    const name = layers.map(({ codec }) => codec).join(", ");
    throw codecFailed(
      name,
      what,
      new RangeError(
        `it makes ${envelope.length} bytes of ${value.length}, and may add ${MAX_ENCODING_OVERHEAD_BYTES} at most`,
      ),
    );
  }

  /**
   * The plain value of bytes as they are recorded. Rejects with PAYLOAD_UNREADABLE when this process cannot read them, and with PAYLOAD_CODEC_FAILED, which is retryable, when a codec
   * says that it can later.
   */
  async decode(recorded: Uint8Array, what: string): Promise<Uint8Array> {
    if (!isEncoded(recorded)) return recorded;
    const { contentType, layers, digest, content, blob } = readEnvelope(recorded);
    if (blob !== undefined) {
      if (this.#vault === undefined) throw blobUnreadable(blob, what);
      const bytes = await this.#vault.read(blob, what);
      return layers.length === 0 ? bytes : this.#decoded(bytes, { contentType, layers, digest }, what);
    }
    // A copy, for what codecs get may be a part of a frame, and may be kept by them.
    return this.#decoded(content.slice(), { contentType, layers, digest }, what);
  }

  async #decoded(
    content: Uint8Array,
    { contentType, layers, digest }: EnvelopeHeader,
    what: string,
  ): Promise<Uint8Array> {
    let bytes = content;
    for (let at = layers.length - 1; at >= 0; at--) {
      const inner = { contentType, layers: layers.slice(0, at), digest };
      bytes = await this.#undone(bytes, layers[at] as PayloadLayer, inner, what);
    }
    return contentType === BINARY_CONTENT_TYPE ? writeBinary(bytes) : bytes;
  }

  async #undone(bytes: Uint8Array, layer: PayloadLayer, inner: EnvelopeHeader, what: string): Promise<Uint8Array> {
    const codec = this.#byName.get(layer.codec);
    if (codec === undefined) throw layerUnreadable(layer, what, "no payload codec of that name is given here");
    const { contentType } = inner;
    try {
      const { metadata } = layer;
      return bytesOf(await codec.decode(bytes, { contentType, metadata, associated: headerBytes(inner) }));
    } catch (error) {
      if (isRetryable(error)) throw codecFailed(layer.codec, what, error);
      throw layerUnreadable(layer, what, messageOf(error), error);
    }
  }

  /** By the last codec that has a digest of its own: an encryption's is keyed, whatever encodes before it. */
  async #digest(value: Uint8Array, what: string): Promise<Uint8Array> {
    const bytes = value.length > MAX_CANONICAL_BYTES ? value : (canonicalJson(value) ?? value);
    const codec = this.#codecs.findLast(({ digest }) => digest !== undefined);
    try {
      return codec?.digest === undefined ? sha256(bytes) : bytesOf(await codec.digest(bytes));
    } catch (error) {
      throw codecFailed(codec?.name ?? "", what, error);
    }
  }
}

/** Plain bytes, also of a Buffer. */
function bytesOf(given: unknown): Uint8Array {
  if (given instanceof Uint8Array) return new Uint8Array(given.buffer, given.byteOffset, given.length);
  throw new TypeError(`it gave ${given === null ? "null" : `a ${typeof given}`} and no Uint8Array`);
}

function checkedMetadata(metadata: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const entries = Object.entries(metadata);
  const isText = (text: unknown): boolean => typeof text === "string" && text.length <= MAX_ENVELOPE_TEXT_LENGTH;
  if (entries.length <= 16 && entries.every(([key, value]) => isText(key) && isText(value))) return metadata;
  throw new TypeError(`its metadata is no record of at most 16 texts of ${MAX_ENVELOPE_TEXT_LENGTH} characters`);
}

function isRetryable(error: unknown): boolean {
  return typeof error === "object" && error !== null && (error as { retryable?: unknown }).retryable === true;
}

function invalid(problem: string): RaftError {
  return new RaftError(
    "CONFIG_INVALID",
    `payloadCodec is no payload codec, and no list of codecs: ${problem}. Give objects with a name of their own, encode and decode.`,
    { details: { option: "payloadCodec" } },
  );
}
