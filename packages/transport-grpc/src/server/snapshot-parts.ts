/**
 * The parts of one SendSnapshot call as they come in.
 *
 * Invariants:
 * Q1. What waits to be read is bounded: above it the stream is paused, and then its window stops the sender.
 * Q2. A part is whole, or it does not come: a cut in the middle of one is the end.
 */
import type { ServerHttp2Stream } from "node:http2";
import { decodePart, type SnapshotPart } from "../wire/snapshot-codec.ts";
import { SnapshotFrames } from "../wire/snapshot-frames.ts";

/** Bytes of whole parts that wait, above which reading stops. */
const MAX_WAITING_BYTES = 512 * 1024;

/** The parts of one call, read one after the other (Q1, Q2). */
export class SnapshotParts {
  readonly #stream: ServerHttp2Stream;
  readonly #reader: SnapshotFrames;
  readonly #frames: Uint8Array[] = [];
  /** What the last part is a view of. */
  #lent: Uint8Array | undefined;
  #waitingBytes = 0;
  #isOver = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(stream: ServerHttp2Stream, maxFrameBytes: number) {
    this.#stream = stream;
    this.#reader = new SnapshotFrames(maxFrameBytes);
    stream.on("data", (piece: Buffer) => {
      if (this.#isOver) return;
      try {
        this.#reader.push(piece, (frame) => this.#push(frame));
      } catch (error) {
        this.#failure = error;
        this.#end();
      }
      if (this.#waitingBytes > MAX_WAITING_BYTES) stream.pause();
    });
    stream.on("end", () => this.#end());
    stream.on("close", () => this.#end());
  }

  /**
   * The next part, valid until the one after it is asked for; undefined when there is none, be it that the sender ended or that the
   * connection is cut. Rejects with TRANSPORT_FRAME_INVALID, TRANSPORT_FRAME_TOO_LARGE. Calls must not overlap.
   */
  async next(): Promise<SnapshotPart | undefined> {
    if (this.#lent !== undefined) this.#reader.giveBack(this.#lent);
    this.#lent = undefined;
    while (this.#frames.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const frame = this.#frames.shift();
    if (frame === undefined) {
      if (this.#failure !== undefined) throw this.#failure;
      return undefined;
    }
    this.#waitingBytes -= frame.length;
    if (this.#stream.isPaused() && this.#waitingBytes <= MAX_WAITING_BYTES) this.#stream.resume();
    this.#lent = frame;
    return decodePart(frame);
  }

  /** Stops reading. A caller that waits for a part gets undefined. */
  close(): void {
    this.#frames.length = 0;
    this.#waitingBytes = 0;
    this.#end();
  }

  #push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#waitingBytes += frame.length;
    this.#wake?.();
  }

  #end(): void {
    this.#isOver = true;
    this.#wake?.();
  }
}
