/**
 * The driver's part of a snapshot: sessions and members, ahead of the executor's content. A four-byte big-endian length, then
 * JSON. The header is small (it grows with sessions and members, not with the application's state).
 */
import { invariant, RaftError } from "../../errors.ts";
import type { LogIndex, NodeAddress } from "../../types.ts";
import type { SessionRecord } from "../apply/sessions.ts";
import type { Members } from "../membership/members.ts";

const FORMAT_VERSION = 1;
/** Of a header that no content follows: an older node must not take it for a snapshot of the empty state. */
const ALONE_FORMAT_VERSION = 2;
/** Refuses a length that only corruption can produce, before memory is set aside for it. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;

export interface SnapshotHeader {
  readonly sessions: readonly SessionRecord[];
  readonly members: ReturnType<Members["toRecord"]>;
  /**
   * Present when no content follows, because the executor keeps its state durably by itself: it had at least everything up to here when the
   * snapshot was taken, and must have it still.
   */
  readonly stateIndex?: LogIndex;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  const version = header.stateIndex === undefined ? FORMAT_VERSION : ALONE_FORMAT_VERSION;
  const json = encoder.encode(JSON.stringify({ version, ...header }));
  // Better no snapshot, and a log that is not cut, than one that no node can read.
  invariant(json.length <= MAX_HEADER_BYTES, () => `a snapshot header of ${json.length} bytes could not be read again`);
  const bytes = new Uint8Array(4 + json.length);
  new DataView(bytes.buffer).setUint32(0, json.length);
  bytes.set(json, 4);
  return bytes;
}

/**
 * A snapshot's content as it is stored: header first, then the executor's chunks. The first of those is asked for at once: an
 * executor may be written as an async generator, whose body would otherwise not begin before somebody reads, and by then the
 * state is another. To be read once.
 */
export function withHeader(header: SnapshotHeader, content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const bytes = encodeSnapshotHeader(header);
  const chunks = content[Symbol.asyncIterator]();
  const first = chunks.next();
  // Reported to who reads; nobody may.
  first.catch(() => {});
  return {
    [Symbol.asyncIterator]() {
      let given = 0;
      const end = async (): Promise<IteratorResult<Uint8Array>> => {
        // Also when nobody has read: the executor may hold on to what it captured.
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

/** A snapshot's content without the state, which is durable by itself. */
export async function* headerAlone(header: SnapshotHeader): AsyncIterable<Uint8Array> {
  yield encodeSnapshotHeader(header);
}

/**
 * Splits stored content into the header and the rest. Chunk borders carry no meaning. `chunks` stays the caller's to close.
 * Throws RaftError CODEC_INVALID for content that is cut off or of a newer version.
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
 * Content as another node sends it, unchanged, but that nothing of it is handed on before its header was read: a snapshot that this node
 * could not restore must not get as far as its disk, where each start would find it again. Reading fails with RaftError
 * CODEC_INVALID, also for a header that no content follows: one node's state is of no use to another.
 */
export function checkedContent(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const chunks = content[Symbol.asyncIterator]();
  let isChecked = false;
  // By hand and not as a generator: its `return` would wait for a sender that hangs.
  const checked: AsyncIterator<Uint8Array> = {
    next: async () => {
      if (isChecked) return await chunks.next();
      isChecked = true;
      const { header, buffered } = await readHeader(chunks);
      if (header.stateIndex === undefined) return { done: false, value: buffered };
      throw new RaftError("CODEC_INVALID", "a snapshot came without the state that it is of");
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
  /** All that was read: the header, up to `end`, and what came in one chunk with it. */
  readonly buffered: Uint8Array;
  readonly end: number;
}

async function readHeader(chunks: AsyncIterator<Uint8Array>): Promise<ReadHeader> {
  const read = new Beginning(chunks);
  await read.fill(4);
  const first = read.joined();
  const length = new DataView(first.buffer, first.byteOffset).getUint32(0);
  if (length > MAX_HEADER_BYTES) throw new RaftError("CODEC_INVALID", `a snapshot header claims ${length} bytes`);
  const end = 4 + length;
  await read.fill(end);
  const buffered = read.joined();
  return { header: parse(buffered.subarray(4, end)), buffered, end };
}

/** The first chunks of content, joined only when there are enough: a sender may cut them as small as it likes. */
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
      if (done === true) throw new RaftError("CODEC_INVALID", "a snapshot ends before its header does");
      if (value.length === 0) continue;
      // A copy: the chunk's memory may be the sender's again with the next one.
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
    throw new RaftError("CODEC_INVALID", "a snapshot header is not JSON in UTF-8", { cause });
  }
  const { version, sessions, members, stateIndex } = read ?? {};
  if (version !== (stateIndex === undefined ? FORMAT_VERSION : ALONE_FORMAT_VERSION)) {
    throw new RaftError(
      "CODEC_INVALID",
      `a snapshot has header version ${JSON.stringify(version)}, this node reads up to ${ALONE_FORMAT_VERSION}; upgrade this node`,
    );
  }
  if (!areSessions(sessions) || !areMembers(members) || !(stateIndex === undefined || isNumber(stateIndex))) {
    throw new RaftError("CODEC_INVALID", "a snapshot header lacks what belongs into it, or has something else there");
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

/** Ids, indexes and serials alike. */
function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
