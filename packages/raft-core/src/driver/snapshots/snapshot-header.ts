/**
 * The driver's part of a snapshot: sessions and members, before the executor's content. A four-byte big-endian length, then
 * JSON. The header is small: it grows with sessions and members, not with the application's state.
 */
import { invariant, RaftError } from "../../errors.ts";
import type { LogIndex, NodeAddress } from "../../types.ts";
import type { SessionRecord } from "../apply/sessions.ts";
import type { Members } from "../membership/members.ts";

const FORMAT_VERSION = 1;
/** Version of a header without content. An older node must not take such a snapshot for one of the empty state. */
const ALONE_FORMAT_VERSION = 2;
/** Longest header. A longer length can only come from damage, and is refused before memory is allocated for it. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;

/** The driver's replicated state in a snapshot. */
export interface SnapshotHeader {
  readonly sessions: readonly SessionRecord[];
  readonly members: ReturnType<Members["toRecord"]>;
  /**
   * Present when no content follows, because the executor keeps its state durable by itself. Its state had all commands up to this index when the
   * snapshot was taken, and must still have them.
   */
  readonly stateIndex?: LogIndex;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Encodes a header: its length in four bytes, big-endian, then JSON. */
export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  const version = header.stateIndex === undefined ? FORMAT_VERSION : ALONE_FORMAT_VERSION;
  const json = encoder.encode(JSON.stringify({ version, ...header }));
  // A snapshot that no node can read must not be made, because the log is compacted behind it.
  invariant(json.length <= MAX_HEADER_BYTES, () => `a snapshot header of ${json.length} bytes could not be read again`);
  const bytes = new Uint8Array(4 + json.length);
  new DataView(bytes.buffer).setUint32(0, json.length);
  bytes.set(json, 4);
  return bytes;
}

/**
 * A snapshot's content as it is stored: header first, then the executor's chunks. Requests the first chunk at once: an
 * executor may be an async generator, whose body would otherwise begin only when the content is read, and by then the
 * state has changed. The content can be read once.
 */
export function withHeader(header: SnapshotHeader, content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const bytes = encodeSnapshotHeader(header);
  const chunks = content[Symbol.asyncIterator]();
  const first = chunks.next();
  // The reader gets the rejection. Without a reader it must not become an unhandled rejection.
  first.catch(() => {});
  return {
    [Symbol.asyncIterator]() {
      let given = 0;
      const end = async (): Promise<IteratorResult<Uint8Array>> => {
        // Also without a read: the executor may hold the captured state until then.
        await chunks.return?.();
        return { done: true, value: undefined };
      };
      return {
        next: () => {
          given += 1;
          if (given === 1) return Promise.resolve({ done: false, value: bytes });
          return given === 2 ? first : chunks.next();
        },
        return: end,
      };
    },
  };
}

/** The content of a snapshot whose state the executor keeps durable by itself: the header alone. */
export async function* headerAlone(header: SnapshotHeader): AsyncIterable<Uint8Array> {
  yield encodeSnapshotHeader(header);
}

/**
 * Splits stored content into the header and the rest. The chunks may have any sizes. The caller must close `chunks`.
 * Rejects with RaftError CODEC_INVALID for content that is cut off or of a newer version.
 */
export async function splitHeader(
  chunks: AsyncIterator<Uint8Array>,
): Promise<{ readonly header: SnapshotHeader; readonly rest: AsyncIterable<Uint8Array> }> {
  const { header, buffered, end } = await readHeader(chunks);
  async function* rest(): AsyncIterable<Uint8Array> {
    if (end < buffered.length) yield buffered.subarray(end);
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  }
  return { header, rest: rest() };
}

/**
 * The content of another node's snapshot, unchanged. No chunk is handed on before the header was read and checked: a snapshot that this node
 * cannot restore must not get to its disk, where each start would find it again. Reading fails with RaftError
 * CODEC_INVALID, also for a header without content, because a node needs the state itself.
 */
export function checkedContent(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const chunks = content[Symbol.asyncIterator]();
  let isChecked = false;
  // Not a generator, because the `return` of a generator would wait for a sender that hangs.
  const checked: AsyncIterator<Uint8Array> = {
    next: async () => {
      if (isChecked) return await chunks.next();
      isChecked = true;
      const { header, buffered } = await readHeader(chunks);
      if (header.stateIndex === undefined) return { done: false, value: buffered };
      throw new RaftError(
        "CODEC_INVALID",
        "A received snapshot has no state; the leader must send it again with the state.",
      );
    },
    return: async () => {
      await chunks.return?.();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => checked };
}

interface ReadHeader {
  readonly header: SnapshotHeader;
  /** All bytes that were read: the header, up to `end`, and the rest of the chunk with its end. */
  readonly buffered: Uint8Array;
  readonly end: number;
}

async function readHeader(chunks: AsyncIterator<Uint8Array>): Promise<ReadHeader> {
  const read = new Beginning(chunks);
  await read.fill(4);
  const first = read.joined();
  const length = new DataView(first.buffer, first.byteOffset).getUint32(0);
  if (length > MAX_HEADER_BYTES) {
    throw new RaftError(
      "CODEC_INVALID",
      `A snapshot header claims ${length} bytes, above the limit of ${MAX_HEADER_BYTES}; the snapshot is damaged.`,
    );
  }
  const end = 4 + length;
  await read.fill(end);
  const buffered = read.joined();
  return { header: parse(buffered.subarray(4, end)), buffered, end };
}

/** Collects the first chunks of content and joins them when there are enough bytes. A sender may make chunks of any size. */
class Beginning {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(chunks: AsyncIterator<Uint8Array>) {
    this.#chunks = chunks;
  }

  async fill(bytes: number): Promise<void> {
    while (this.#bytes < bytes) {
      const { done, value } = await this.#chunks.next();
      if (done === true) {
        throw new RaftError("CODEC_INVALID", `A snapshot ends at byte ${this.#bytes}; its header is cut off.`);
      }
      if (value.length === 0) continue;
      // A copy, because the sender may reuse the chunk's memory for the next one.
      this.#parts.push(Uint8Array.prototype.slice.call(value));
      this.#bytes += value.length;
    }
  }

  joined(): Uint8Array {
    const whole = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#parts = [whole];
    return whole;
  }
}

function parse(bytes: Uint8Array): SnapshotHeader {
  let read: Partial<SnapshotHeader & { readonly version: number }> | null;
  try {
    read = JSON.parse(decoder.decode(bytes)) as typeof read;
  } catch (cause) {
    throw new RaftError("CODEC_INVALID", "A snapshot header is not JSON in UTF-8; the snapshot is damaged.", { cause });
  }
  const { version, sessions, members, stateIndex } = read ?? {};
  if (version !== (stateIndex === undefined ? FORMAT_VERSION : ALONE_FORMAT_VERSION)) {
    throw new RaftError(
      "CODEC_INVALID",
      `A snapshot has header version ${JSON.stringify(version)}, but this node reads versions up to ${ALONE_FORMAT_VERSION}. Upgrade this node.`,
    );
  }
  if (!areSessions(sessions) || !areMembers(members) || !(stateIndex === undefined || isNumber(stateIndex))) {
    throw new RaftError(
      "CODEC_INVALID",
      "A snapshot header lacks a field or has one of a wrong type; the snapshot is damaged.",
    );
  }
  return { sessions, members, ...(stateIndex === undefined ? {} : { stateIndex }) };
}

function areSessions(value: unknown): value is SnapshotHeader["sessions"] {
  return (
    Array.isArray(value) &&
    value.every(
      (session: unknown) =>
        Array.isArray(session) &&
        session.length === 4 &&
        session.slice(0, 3).every(isNumber) &&
        Array.isArray(session[3]) &&
        session[3].every(isNumber),
    )
  );
}

function areMembers(value: unknown): value is SnapshotHeader["members"] {
  if (typeof value !== "object" || value === null) return false;
  const { addresses, highestNodeId } = value as Partial<SnapshotHeader["members"]>;
  return isNumber(highestNodeId) && Array.isArray(addresses) && addresses.every(isAddress);
}

function isAddress(value: unknown): value is NodeAddress {
  if (typeof value !== "object" || value === null) return false;
  const { nodeId, address } = value as Partial<NodeAddress>;
  return isNumber(nodeId) && nodeId > 0 && typeof address === "string";
}

/** Whether a value may be an id, an index or a serial. */
function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
