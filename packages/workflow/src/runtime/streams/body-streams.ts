/** The streams of one body, made when something of it first writes: most bodies have none. */
import { StreamWrites, type StreamWritesParts } from "./stream-writes.ts";

/** {@link StreamWrites} that cost next to nothing until they are used. */
export class BodyStreams {
  readonly #parts: () => StreamWritesParts;
  #writes: StreamWrites | undefined;
  #isClosed = false;

  constructor(parts: () => StreamWritesParts) {
    this.#parts = parts;
  }

  /** To write with. */
  get writes(): StreamWrites {
    if (this.#writes === undefined) {
      this.#writes = new StreamWrites(this.#parts());
      if (this.#isClosed) void this.#writes.close();
    }
    return this.#writes;
  }

  /** As {@link StreamWrites.written}. */
  written(path: string): Promise<void> | undefined {
    return this.#writes?.written(path);
  }

  /** As {@link StreamWrites.quiet}. */
  quiet(): Promise<void> | undefined {
    return this.#writes?.quiet();
  }

  /** As {@link StreamWrites.close}. */
  close(): Promise<void> | undefined {
    this.#isClosed = true;
    return this.#writes?.close();
  }

  /** As {@link StreamWrites.abandon}. */
  abandon(): void {
    this.#isClosed = true;
    this.#writes?.abandon();
  }
}
