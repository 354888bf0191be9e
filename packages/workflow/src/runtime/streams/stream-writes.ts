/**
 * What a running body and its steps write to the run's streams, on its way into the log.
 *
 * SW1. Chunks are committed in the order in which they were written, over all streams of the run, one entry at a time and at most one entry in
 *      STREAM_ENTRY_INTERVAL_MS. A retry of an entry whose fate is unknown is the same entry.
 * SW2. A chunk is committed after every answer that the body had when it was written and that a replay could answer in another way: nothing is seen
 *      outside of the body that a replay would not write.
 * SW3. Chunks of the body are counted by stream and scope. The first ones after a takeover are those that are recorded: they are not written again. This holds
 *      whatever the order of the scopes is.
 * SW4. `written` and `close` resolve when the chunks written before are committed: a step's record and the run's end come after them.
 * SW5. The buffer is bounded. While it is full, writes wait, and beyond MAX_WAITING_WRITES they are refused.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import type { StreamPart } from "../../commands/history/stream-append.ts";
import { WorkflowError } from "../../errors.ts";
import {
  MAX_CHUNK_BYTES_PER_ENTRY,
  MAX_CHUNKS_PER_ENTRY,
  MAX_STREAMS_PER_RUN,
  STREAM_ENTRY_INTERVAL_MS,
  type StreamSpan,
} from "../../model/stream.ts";
import type { OwnedStream } from "../../state/streams/stream-view.ts";
import { LazyMap } from "../collections/lazy-map.ts";

/** Bounds of the streams of a run (runtime-options.ts). */
export interface StreamBounds {
  readonly maxStreamChunkBytes: number;
  readonly maxStreamBufferBytes: number;
  readonly maxStreamChunks: number;
  readonly maxStreamBytes: number;
  /** Bytes that encoding adds to a chunk at most (0). */
  readonly encodingOverheadBytes?: number;
}

/** What a {@link StreamWrites} is made of. */
export interface StreamWritesParts {
  readonly runId: string;
  readonly clock: Clock;
  readonly bounds: StreamBounds;
  /** Largest value that the log takes, in bytes: no entry holds more, unless its only chunk does. */
  readonly maxPayloadBytes: number;
  /** The streams as earlier owners left them. */
  readonly recorded: readonly OwnedStream[];
  /** Undefined when all that a replay could answer in another way is committed; else resolves when it is (SW2). */
  readonly settled: () => Promise<void> | undefined;
  /** Commits an entry. Never settles once the run is lost; rejects when the log refuses the entry. */
  readonly commit: (parts: readonly StreamPart[]) => Promise<void>;
  readonly onRefused: (error: unknown) => void;
}

/** Which code writes: the body in a scope, or an attempt of a step. */
export interface StreamOrigin {
  /** As {@link StreamSpan.place}. */
  readonly place: string;
  /** As {@link StreamSpan.attempt}. */
  readonly attempt: number;
}

/** Chunks of the buffer, beside their bytes. */
export const MAX_BUFFERED_CHUNKS = 4_096;
/** What a chunk takes in an entry beside its value, the name of its stream and the path of its step: at most so many bytes. */
const CHUNK_OVERHEAD_BYTES = 16;
/** Writes that wait for room in the buffer. */
export const MAX_WAITING_WRITES = 10_000;

/** One stream, as this owner knows it. */
interface Lane {
  readonly name: string;
  /** Offset of the next chunk that goes into an entry. */
  nextOffset: number;
  /** Whether the log has its end, or the body has ended it. */
  hasEnded: boolean;
  /** Chunks of the body by scope: how many are recorded, and how many it has written since it began. */
  readonly recorded: ReadonlyMap<string, number>;
  readonly written: Map<string, number>;
}

/** A chunk, or with no value the end of its stream. */
interface Write {
  readonly lane: Lane;
  readonly origin: StreamOrigin;
  readonly value: Uint8Array | undefined;
  /** From 1, in the order of writing. */
  readonly number: number;
}

interface Part {
  readonly name: string;
  readonly offset: number;
  readonly spans: { readonly place: string; readonly attempt: number; readonly values: Uint8Array[] }[];
  ends: boolean;
}

const NOW: Promise<void> = Promise.resolve();
const BODY: StreamOrigin = { place: "", attempt: 0 };

/** The streams of one running body, as its owner writes them. */
export class StreamWrites {
  readonly #parts: StreamWritesParts;
  readonly #lanes = new LazyMap<string, Lane>();
  /** In the buffer, oldest first; and what waits for room in it. */
  #buffer: Write[] = [];
  #bufferBytes = 0;
  #waiting: { readonly write: Write; readonly resolve: () => void }[] = [];
  #numbered = 0;
  #committed = 0;
  /** The latest write of each step that is not committed. */
  readonly #lastOf = new LazyMap<string, number>();
  #whenCommitted: { readonly number: number; readonly resolve: () => void }[] = [];
  #isUnderWay = false;
  #isClosed = false;
  #cancelTimer: Cancel | undefined;
  #lastBeganMs = Number.NEGATIVE_INFINITY;

  constructor(parts: StreamWritesParts) {
    this.#parts = parts;
    for (const { name, nextOffset, hasEnded, scopes } of parts.recorded) {
      this.#lanes.set(name, { name, nextOffset, hasEnded, recorded: new Map(scopes), written: new Map() });
    }
  }

  /** Bytes of a chunk at most. */
  get maxChunkBytes(): number {
    const { bounds, maxPayloadBytes } = this.#parts;
    const { maxStreamChunkBytes, encodingOverheadBytes = 0 } = bounds;
    return Math.min(maxStreamChunkBytes, MAX_CHUNK_BYTES_PER_ENTRY - encodingOverheadBytes, maxPayloadBytes);
  }

  /** Takes a chunk. Resolves when it is in the buffer, or recorded already (SW3). Throws STREAM_ENDED, STREAM_LIMIT_REACHED or STREAM_BUFFER_FULL. */
  write(stream: string, origin: StreamOrigin, value: Uint8Array): Promise<void> {
    this.#assertOpen(stream);
    const lane = this.#lane(stream);
    if (origin.attempt === 0) {
      const written = lane.written.get(origin.place) ?? 0;
      if (written < (lane.recorded.get(origin.place) ?? 0)) {
        lane.written.set(origin.place, written + 1);
        return NOW;
      }
      this.#assertGoesOn(lane);
      const taken = this.#take(lane, origin, value);
      lane.written.set(origin.place, written + 1);
      return taken;
    }
    this.#assertGoesOn(lane);
    return this.#take(lane, origin, value);
  }

  /** Ends a stream after all that was written to it. Resolves when that is in the buffer. */
  end(stream: string): Promise<void> {
    this.#assertOpen(stream);
    const lane = this.#lane(stream);
    if (lane.hasEnded) return NOW;
    const taken = this.#take(lane, BODY, undefined);
    lane.hasEnded = true;
    return taken;
  }

  /** Undefined when everything that the step at a path wrote is committed; else resolves when it is (SW4). */
  written(path: string): Promise<void> | undefined {
    const number = this.#lastOf.size === 0 ? undefined : this.#lastOf.get(path);
    return number === undefined ? undefined : this.#untilCommitted(number);
  }

  /** Undefined when everything that was written is committed; else resolves when all that is written now is. */
  quiet(): Promise<void> | undefined {
    return this.#committed === this.#numbered ? undefined : this.#untilCommitted(this.#numbered);
  }

  /** Takes nothing more. Undefined when everything that was written is committed; else resolves when it is (SW4). */
  close(): Promise<void> | undefined {
    this.#isClosed = true;
    return this.quiet();
  }

  /** The log refuses what the body goes on from: drops what is not committed, and nothing waits for it any more. */
  abandon(): void {
    this.#isClosed = true;
    this.#buffer = [];
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    this.#committedUntil(this.#numbered);
  }

  #assertOpen(stream: string): void {
    if (this.#isClosed) {
      throw new WorkflowError(
        "STREAM_ENDED",
        `Stream ${stream} of run ${this.#parts.runId} was written to after the run's body had returned. Await every step and every write before that.`,
      );
    }
  }

  #assertGoesOn({ name, hasEnded }: Lane): void {
    if (!hasEnded) return;
    throw new WorkflowError(
      "STREAM_ENDED",
      `Stream ${name} of run ${this.#parts.runId} has ended. Write before its end.`,
    );
  }

  #lane(name: string): Lane {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    if (this.#lanes.size >= MAX_STREAMS_PER_RUN) {
      throw new WorkflowError(
        "STREAM_LIMIT_REACHED",
        `Run ${this.#parts.runId} has as many streams as a run may have: ${MAX_STREAMS_PER_RUN}. Write to one of them instead of ${name}.`,
      );
    }
    const lane: Lane = { name, nextOffset: 0, hasEnded: false, recorded: new Map(), written: new Map() };
    this.#lanes.set(name, lane);
    return lane;
  }

  #take(lane: Lane, origin: StreamOrigin, value: Uint8Array | undefined): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING_WRITES) {
      throw new WorkflowError(
        "STREAM_BUFFER_FULL",
        `${MAX_WAITING_WRITES} writes to streams of run ${this.#parts.runId} wait for room in the buffer. Await every write.`,
      );
    }
    this.#numbered += 1;
    const write: Write = { lane, origin, value, number: this.#numbered };
    if (origin.attempt > 0) this.#lastOf.set(origin.place, write.number);
    if (this.#waiting.length > 0 || !this.#hasRoom) {
      return new Promise((resolve) => this.#waiting.push({ write, resolve }));
    }
    this.#buffered(write);
    return NOW;
  }

  get #hasRoom(): boolean {
    return this.#buffer.length < MAX_BUFFERED_CHUNKS && this.#bufferBytes < this.#parts.bounds.maxStreamBufferBytes;
  }

  #buffered(write: Write): void {
    this.#buffer.push(write);
    this.#bufferBytes += write.value?.length ?? 0;
    this.#flushInTime();
  }

  /** SW1. */
  #flushInTime(): void {
    if (this.#isUnderWay || this.#cancelTimer !== undefined) return;
    const { clock } = this.#parts;
    const waitMs = this.#lastBeganMs + STREAM_ENTRY_INTERVAL_MS - clock.monotonicMs();
    const flush = (): void => {
      this.#cancelTimer = undefined;
      void this.#flush();
    };
    if (waitMs > 0) {
      this.#cancelTimer = clock.after(waitMs, flush);
      return;
    }
    // What is written in this turn goes into the same entry.
    this.#cancelTimer = () => {};
    clock.soon(flush);
  }

  async #flush(): Promise<void> {
    this.#isUnderWay = true;
    try {
      // What is written meanwhile may go back to answers that are not committed (SW2).
      const until = this.#numbered;
      await this.#parts.settled();
      this.#lastBeganMs = this.#parts.clock.monotonicMs();
      const { parts, last } = this.#entry(until);
      this.#admit();
      await this.#parts.commit(parts);
      this.#committedUntil(last);
    } catch (error) {
      this.abandon();
      this.#parts.onRefused(error);
    } finally {
      this.#isUnderWay = false;
    }
    if (this.#buffer.length > 0) this.#flushInTime();
  }

  /** Takes as much out of the buffer as one entry may bring, up to the write of a number. */
  #entry(until: number): { readonly parts: readonly StreamPart[]; readonly last: number } {
    const parts = new Map<Lane, Part>();
    const { encodingOverheadBytes = 0 } = this.#parts.bounds;
    let [taken, chunks, bytes, encoded, last] = [0, 0, 0, 0, 0];
    for (const { lane, origin, value, number } of this.#buffer) {
      const size = value === undefined ? 0 : value.length + encodingOverheadBytes;
      const around = CHUNK_OVERHEAD_BYTES + origin.place.length + lane.name.length;
      if (number > until || chunks === MAX_CHUNKS_PER_ENTRY || bytes + size > MAX_CHUNK_BYTES_PER_ENTRY) break;
      if (taken > 0 && encoded + size + around > this.#parts.maxPayloadBytes) break;
      encoded += size + around;
      let part = parts.get(lane);
      if (part === undefined) {
        part = { name: lane.name, offset: lane.nextOffset, spans: [], ends: false };
        parts.set(lane, part);
      }
      if (value === undefined) part.ends = true;
      else {
        const span = part.spans.at(-1);
        if (span?.place === origin.place && span.attempt === origin.attempt) span.values.push(value);
        else part.spans.push({ ...origin, values: [value] });
        lane.nextOffset += 1;
        chunks += 1;
        bytes += size;
      }
      taken += 1;
      last = number;
    }
    this.#buffer = this.#buffer.slice(taken);
    // The buffer has the values as they are written.
    this.#bufferBytes -= bytes - chunks * encodingOverheadBytes;
    return { parts: [...parts.values()], last };
  }

  /** Lets writes that wait into the buffer, as far as there is room. */
  #admit(): void {
    let admitted = 0;
    for (const { write, resolve } of this.#waiting) {
      if (!this.#hasRoom) break;
      this.#buffer.push(write);
      this.#bufferBytes += write.value?.length ?? 0;
      admitted += 1;
      resolve();
    }
    this.#waiting = this.#waiting.slice(admitted);
  }

  #committedUntil(number: number): void {
    this.#committed = number;
    for (const [path, last] of this.#lastOf) if (last <= number) this.#lastOf.delete(path);
    const reached = this.#whenCommitted.filter((waiting) => waiting.number <= number);
    this.#whenCommitted = this.#whenCommitted.filter((waiting) => waiting.number > number);
    for (const { resolve } of reached) resolve();
  }

  #untilCommitted(number: number): Promise<void> {
    return new Promise((resolve) => this.#whenCommitted.push({ number, resolve }));
  }
}
