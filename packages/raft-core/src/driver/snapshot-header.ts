/**
 * The driver's part of a snapshot: sessions and members, ahead of the executor's content. A four-byte big-endian length, then
 * JSON. The header is small (it grows with sessions and members, not with the application's state).
 */
import { invariant, RaftError } from "../errors.ts";
import type { LogIndex } from "../types.ts";
import type { Members } from "./members.ts";
import type { SessionRecord } from "./sessions.ts";

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
  let buffered: Uint8Array = new Uint8Array(0);
  const fill = async (bytes: number): Promise<void> => {
    while (buffered.length < bytes) {
      const { done, value } = await chunks.next();
      if (done === true) throw new RaftError("CODEC_INVALID", "a snapshot ends before its header does");
      const joined: Uint8Array = new Uint8Array(buffered.length + value.length);
      joined.set(buffered);
      joined.set(value, buffered.length);
      buffered = joined;
    }
  };
  await fill(4);
  const length = new DataView(buffered.buffer, buffered.byteOffset).getUint32(0);
  if (length > MAX_HEADER_BYTES) throw new RaftError("CODEC_INVALID", `a snapshot header claims ${length} bytes`);
  await fill(4 + length);
  const header = parse(buffered.subarray(4, 4 + length));
  if (header.version !== (header.stateIndex === undefined ? FORMAT_VERSION : ALONE_FORMAT_VERSION)) {
    throw new RaftError(
      "CODEC_INVALID",
      `a snapshot has header version ${header.version}, this node reads up to ${ALONE_FORMAT_VERSION}; upgrade this node`,
    );
  }
  const remainder = buffered.subarray(4 + length);
  async function* rest(): AsyncIterable<Uint8Array> {
    if (remainder.length > 0) yield remainder;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  }
  return { header, rest: rest() };
}

function parse(bytes: Uint8Array): SnapshotHeader & { readonly version: number } {
  try {
    return JSON.parse(decoder.decode(bytes)) as SnapshotHeader & { readonly version: number };
  } catch (cause) {
    throw new RaftError("CODEC_INVALID", "a snapshot header is not JSON in UTF-8", { cause });
  }
}
