/**
 * The envelope of a value that a payload codec has encoded, or that is kept as a blob: what is needed to read the value back, and the encoded bytes or the blob's name.
 *
 * Role: a format, and nothing that encodes or decodes. A value that no codec has encoded has no envelope: its bytes are JSON in UTF-8; but one that is bytes has one (EV5).
 *
 * EV1. An envelope begins with a byte that no UTF-8 text has, so it is told from every plain value by its first bytes.
 * EV2. What is read of an envelope is bounded before it is used: layers, names and metadata.
 * EV3. Two envelopes with the same digest hold the same value, however differently it was encoded. An envelope without one equals its own bytes alone; a reference has the hash of its blob for one.
 * EV4. A reference is an envelope without content that names a blob: the content is the blob's.
 * EV5. A value that is bytes has an envelope of one form: the content type `application/octet-stream`, no layers, no digest, and the bytes. So it is told by its first bytes, and is no encoded value.
 */
import { type BlobName, EMPTY_BYTES } from "@raftoral/raft-core";
import { WireReader } from "@raftoral/raft-core/wire";
import { WorkflowError } from "../errors.ts";
import { writerOf } from "../wire/command-wire.ts";

/** The content type of a value that has no envelope. */
export const JSON_CONTENT_TYPE = "application/json";
/** The content type of a value that is bytes. */
export const BINARY_CONTENT_TYPE = "application/octet-stream";

/** What one codec did to a value. */
export interface PayloadLayer {
  /** The codec's name. */
  readonly codec: string;
  /** What the codec needs to know to undo it. Readable by everybody: no secret. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What an envelope says of its value. */
export interface EnvelopeHeader {
  /** Of the value before any codec. */
  readonly contentType: string;
  /** In the order in which they were applied. */
  readonly layers: readonly PayloadLayer[];
  /** Equal for values that are equal (EV3); empty where the value is not compared. */
  readonly digest: Uint8Array;
}

/** A value as codecs have encoded it. */
export interface PayloadEnvelope extends EnvelopeHeader {
  /** A view of the envelope's bytes; empty for a reference (EV4). */
  readonly content: Uint8Array;
  /** The blob that has the content; undefined for an envelope that has it itself. */
  readonly blob: BlobName | undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** FF is in no UTF-8 text (EV1); then "RP" and the version of the format. */
const MAGIC: Uint8Array = Uint8Array.of(0xff, 0x52, 0x50, 0x01);

/** Bounds of what is read (EV2). */
export const MAX_PAYLOAD_LAYERS = 8;
const MAX_METADATA_ENTRIES = 16;
/** Longest name of a codec, content type, and key or value of metadata, in UTF-16 units. */
export const MAX_ENVELOPE_TEXT_LENGTH = 256;
const MAX_DIGEST_BYTES = 64;
/** Of a SHA-256. */
const HASH_BYTES = 32;

/** How every value that is bytes begins (EV5): the content type, and the field of the content. */
const BINARY: Uint8Array = Uint8Array.from([
  ...MAGIC,
  ...headerBytes({ contentType: BINARY_CONTENT_TYPE, layers: [], digest: EMPTY_BYTES }),
  0x7a,
]);

/** Bytes that the envelope of a value that is bytes adds to them at most. */
export const BINARY_OVERHEAD_BYTES: number = BINARY.length + 5;

/** Whether a codec has encoded a value. Looks at the first bytes alone. */
export function isEncoded(bytes: Uint8Array): boolean {
  return beginsWith(bytes, MAGIC) && !beginsWith(bytes, BINARY);
}

/** Whether a value is bytes, and no codec has encoded it (EV5). */
export function isBinary(bytes: Uint8Array): boolean {
  return beginsWith(bytes, BINARY);
}

/** The envelope of a value that is bytes (EV5). */
export function writeBinary(content: Uint8Array): Uint8Array {
  const to = writerOf(BINARY_OVERHEAD_BYTES + content.length);
  to.raw(BINARY);
  to.varint(content.length);
  to.raw(content);
  return to.finish();
}

function beginsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes[0] !== prefix[0] || bytes.length < prefix.length) return false;
  return prefix.every((byte, at) => bytes[at] === byte);
}

/** The bytes of an envelope. */
export function writeEnvelope(header: EnvelopeHeader, content: Uint8Array): Uint8Array {
  const to = writerOf(128 + content.length);
  to.raw(MAGIC);
  to.raw(headerBytes(header));
  to.bytes(15, content);
  return to.finish();
}

/** The bytes of a reference: an envelope whose content is a blob's (EV4). */
export function writeReference(header: EnvelopeHeader, { hash, length }: BlobName): Uint8Array {
  const to = writerOf(256);
  to.raw(MAGIC);
  to.raw(headerBytes(header));
  to.bytes(4, bytesOfHex(hash));
  to.uint(5, length);
  return to.finish();
}

/** The blob that a value refers to; undefined for every value that has its bytes itself, and for a damaged envelope. */
export function blobIn(bytes: Uint8Array): BlobName | undefined {
  if (!isEncoded(bytes)) return undefined;
  try {
    return readEnvelope(bytes).blob;
  } catch {
    return undefined;
  }
}

/** What an envelope says of its value, as bytes: the same for the same header. */
export function headerBytes({ contentType, layers, digest }: EnvelopeHeader): Uint8Array {
  const to = writerOf(128);
  to.string(1, contentType);
  for (const { codec, metadata } of layers) {
    const layer = writerOf(64);
    layer.string(1, codec);
    for (const [key, value] of Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const entry = writerOf(64);
      entry.string(1, key);
      entry.string(2, value);
      layer.message(2, entry.finish());
    }
    to.message(2, layer.finish());
  }
  to.bytes(3, digest);
  return to.finish();
}

/** Reads bytes that {@link isEncoded}. Throws PAYLOAD_UNREADABLE for an envelope that is damaged or of a later format (EV2). */
export function readEnvelope(bytes: Uint8Array): PayloadEnvelope {
  const from = new WireReader(bytes, damaged, MAGIC.length);
  let contentType = "";
  let digest: Uint8Array = EMPTY_BYTES;
  let content: Uint8Array = EMPTY_BYTES;
  const layers: PayloadLayer[] = [];
  let hash: Uint8Array | undefined;
  let length = 0;
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) contentType = textOf(from);
    else if (field === 4) hash = from.bytes();
    else if (field === 5) length = from.uint();
    else if (field === 2) layers.push(layerOf(from.message()));
    else if (field === 3) digest = from.bytes();
    else if (field === 15) content = from.view();
    else from.skip();
    if (layers.length > MAX_PAYLOAD_LAYERS) throw damaged(`it has more than ${MAX_PAYLOAD_LAYERS} layers`);
  }
  if (contentType === "") throw damaged("it has no content type");
  if (digest.length > MAX_DIGEST_BYTES) throw damaged(`its digest has more than ${MAX_DIGEST_BYTES} bytes`);
  if (hash === undefined) return { contentType, layers, digest, content, blob: undefined };
  if (hash.length !== HASH_BYTES) throw damaged(`the name of its blob has ${hash.length} bytes and not ${HASH_BYTES}`);
  if (content.length > 0) throw damaged("it names a blob, and has content");
  return { contentType, layers, digest, content, blob: { hash: hexOf(hash), length } };
}

/** The digest of a value's envelope, or the hash of the blob that it names (EV3); undefined for a plain value, for an envelope without either, and for a damaged one. */
export function digestIn(bytes: Uint8Array): Uint8Array | undefined {
  if (!isEncoded(bytes)) return undefined;
  try {
    const { digest, blob } = readEnvelope(bytes);
    if (digest.length > 0) return digest;
    return blob === undefined ? undefined : bytesOfHex(blob.hash);
  } catch {
    return undefined;
  }
}

/** Whether two values, or two failures, are the same, as far as their bytes tell: byte by byte, or by their digests (EV3). */
export function isSameValue(a: Uint8Array, b: Uint8Array): boolean {
  if (isSameBytes(a, b)) return true;
  const [one, other] = [digestIn(sealedIn(a) ?? a), digestIn(sealedIn(b) ?? b)];
  return one !== undefined && other !== undefined && isSameBytes(one, other);
}

/** What a failure that is recorded as JSON has sealed (model/failure.ts); undefined for all other bytes. */
function sealedIn(json: Uint8Array): Uint8Array | undefined {
  if (isEncoded(json)) return undefined;
  try {
    const { sealed } = (JSON.parse(decoder.decode(json)) ?? {}) as { sealed?: unknown };
    return typeof sealed === "string" ? Uint8Array.from(atob(sealed), (unit) => unit.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function layerOf(from: WireReader): PayloadLayer {
  let codec = "";
  const metadata: [string, string][] = [];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) codec = textOf(from);
    else if (field === 2) metadata.push(entryOf(from.message()));
    else from.skip();
    if (metadata.length > MAX_METADATA_ENTRIES) throw damaged(`a layer has more than ${MAX_METADATA_ENTRIES} metadata`);
  }
  if (codec === "") throw damaged("a layer names no codec");
  return { codec, metadata: Object.fromEntries(metadata) };
}

function entryOf(from: WireReader): [string, string] {
  let [key, value] = ["", ""];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) key = textOf(from);
    else if (field === 2) value = textOf(from);
    else from.skip();
  }
  return [key, value];
}

function textOf(from: WireReader): string {
  const text = from.string();
  if (text.length <= MAX_ENVELOPE_TEXT_LENGTH) return text;
  throw damaged(`it has a text of more than ${MAX_ENVELOPE_TEXT_LENGTH} characters`);
}

function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

function bytesOfHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

function damaged(what: string, cause?: unknown): WorkflowError {
  return new WorkflowError(
    "PAYLOAD_UNREADABLE",
    `The envelope of an encoded value cannot be read: ${what}. Compare the releases of the node or client that wrote it and of this one.`,
    { cause },
  );
}
