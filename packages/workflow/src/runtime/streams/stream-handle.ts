/** `ctx.stream`: what the body and its steps write with. */

import type { StreamWriter } from "../../author/stream.ts";
import { encodeValue } from "../../author/values/json-value.ts";
import { chunkOf, judgedAtOnce, type StandardSchemaV1 } from "../../author/values/schema.ts";
import type { ContextGuard } from "../body/context-guard.ts";
import type { Interruption } from "../body/interruption.ts";
import { never } from "../history/history.ts";
import type { StreamWrites } from "./stream-writes.ts";

/** What the handles of one body share. */
export interface StreamSetting {
  readonly writes: () => StreamWrites;
  readonly guard: ContextGuard;
  readonly interruption: Interruption;
  /** Which turn of the event loop it is. */
  readonly turn: () => number;
  /** The body goes on in this turn, by a promise of its context. */
  readonly woken: () => void;
}

/** Writes to one stream in the name of whichever function of the body calls it. Made for each `ctx.stream`. */
export class StreamHandle implements StreamWriter {
  readonly name: string;
  readonly #schema: StandardSchemaV1 | undefined;
  /** Prefix of the scope that the handle was made in. */
  readonly #scope: string;
  readonly #setting: StreamSetting;

  constructor(setting: StreamSetting, scope: string, name: string, schema: StandardSchemaV1 | undefined) {
    this.#setting = setting;
    this.#scope = scope;
    this.name = name;
    this.#schema = schema;
  }

  // A rejection that is not awaited fails the run (run-execution.ts B5): a chunk would be missing otherwise, without a word.
  async write(chunk: unknown): Promise<void> {
    const { guard, interruption } = this.#setting;
    const inside = guard.writer(this.name);
    // The body of a run that was lost goes no further; its steps hear that their work is useless.
    if (interruption.isOver) return inside === undefined ? never() : Promise.reject(interruption.root.signal.reason);
    const what = `a chunk of stream ${this.name}`;
    if (this.#schema !== undefined) judgedAtOnce(this.#schema, chunk, chunkOf(this.name));
    const writes = this.#setting.writes();
    const value = encodeValue(chunk, what, writes.maxChunkBytes);
    const origin = inside === undefined ? { place: this.#scope, attempt: 0 } : inside;
    const written = writes.write(this.name, origin, value);
    return inside === undefined ? this.#waited(written) : written;
  }

  async end(): Promise<void> {
    const { guard, interruption, writes } = this.#setting;
    const refused = guard.refusal("stream.end", this.name);
    if (refused !== undefined) return refused;
    return interruption.isOver ? never() : this.#waited(writes().end(this.name));
  }

  /** A body that had to wait goes on by its context, and not by something of the outside (body-calls.ts BC4). */
  async #waited(written: Promise<void>): Promise<void> {
    const { turn, woken } = this.#setting;
    const before = turn();
    try {
      await written;
    } finally {
      if (turn() !== before) woken();
    }
  }
}
