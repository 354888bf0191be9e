/**
 * Definitions of streams, and what a body writes with: one value that writers and readers share, so that both know the type of the chunks.
 *
 * SM1. A definition has two types: what the body writes, and what readers get of it, as the record gives it back. With a schema these are the schema's two.
 */

import { escapedName } from "./step-path.ts";
import type { Recordable, Recorded, Unchanged } from "./values/recorded.ts";
import type { StandardSchemaV1 } from "./values/schema.ts";

/** A stream's name with the types of its chunks. Made by {@link stream}. Bodies write `Given`, readers get `Chunk`. */
export interface StreamDefinition<Given = unknown, Chunk = unknown> {
  readonly name: string;
  /** Checks chunks where they are written, and makes of a recorded one what readers get. */
  readonly schema: StandardSchemaV1 | undefined;
  /** Types alone; no definition has this property. */
  readonly "~types"?: { readonly given: Given; readonly chunk: Chunk };
}

/** What readers get of a stream: of a definition its chunks, of a name anything. */
export type StreamValue<Stream> = Stream extends StreamDefinition<unknown, infer Chunk> ? Chunk : unknown;

/** Defines a stream: `stream<Progress>("progress")`. Throws NAME_INVALID. */
export function stream<Given extends Recordable<Given>>(name: string): StreamDefinition<Given, Recorded<Given>>;
/**
 * Defines a stream with a schema: `stream("progress", schema)`. Chunks are checked where they are written, and readers get what the schema makes of them. The
 * schema must answer at once, without a promise. Throws NAME_INVALID.
 */
export function stream<Given extends Unchanged<Given>, Chunk>(
  name: string,
  schema: StandardSchemaV1<Given, Chunk>,
): StreamDefinition<Given, Chunk>;
export function stream(name: string, schema?: StandardSchemaV1): StreamDefinition {
  escapedName(name);
  return { name, schema };
}

/** Writes to one stream of a run, in the body and inside of its steps. */
export interface StreamWriter<Given = unknown> {
  readonly name: string;
  /**
   * Appends a chunk. Resolves once the chunk is in this node's buffer, at once while there is room; await it, so that a fast writer waits for the log.
   * A chunk is committed some milliseconds later: before the record of the step that wrote it, and before the run's end. What the body has written is not
   * written again by a replay; a step that runs again goes on appending. Rejects with PAYLOAD_TOO_LARGE, VALUE_NOT_SERIALIZABLE, STREAM_CHUNK_INVALID,
   * STREAM_ENDED, STREAM_LIMIT_REACHED, STREAM_BUFFER_FULL or STREAM_CALLER_UNKNOWN.
   */
  write(chunk: Given): Promise<void>;
  /** Ends the stream after all that was written: its readers end. In the body alone. A second `end` changes nothing. */
  end(): Promise<void>;
}
