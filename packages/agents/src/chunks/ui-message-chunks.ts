/**
 * What a front end of the AI SDK is given of an agent's stream.
 *
 * UC1. A step that runs again, after a failure or on another node, begins its answer again: the parts of its earlier attempt are taken back, and what comes of that attempt
 *      later is left out.
 * UC2. The chunks begin with `start` and end with `finish`: a run is one message.
 */
import type { UIMessageChunk } from "ai";
import type { AgentChunk } from "./agent-chunk.ts";

/** A chunk as `run.stream` gives it. */
export interface ReadChunk {
  readonly value: AgentChunk;
  /** Path of the step that wrote it; undefined for the body. */
  readonly step?: string;
  /** The step's attempt. */
  readonly attempt?: number;
  /** The owner's epoch. */
  readonly epoch: number;
}

/** One attempt of a step: a later owner's comes after all of an earlier one's. */
interface Attempt {
  readonly epoch: number;
  readonly attempt: number;
}

/**
 * A run as the chunks of one UI message, for `createUIMessageStreamResponse` and `readUIMessageStream`: `uiMessageStream(run.stream(definition))`. Fails as the reading
 * does. Cancelling it ends the reading.
 */
export function uiMessageStream(chunks: AsyncIterable<ReadChunk>): ReadableStream<UIMessageChunk> {
  return ReadableStream.from(messageChunks(chunks));
}

async function* messageChunks(chunks: AsyncIterable<ReadChunk>): AsyncGenerator<UIMessageChunk> {
  const latest = new Map<string, Attempt>();
  yield { type: "start" };
  for await (const { value, step, attempt = 0, epoch } of chunks) {
    if (step !== undefined) {
      const known = latest.get(step);
      if (known !== undefined && isBefore({ epoch, attempt }, known)) continue;
      latest.set(step, { epoch, attempt });
      if (known !== undefined && value.type === "start-step") {
        yield { type: "reset-step" };
        continue;
      }
    }
    yield value;
  }
  yield { type: "finish" };
}

function isBefore(one: Attempt, other: Attempt): boolean {
  return one.epoch === other.epoch ? one.attempt < other.attempt : one.epoch < other.epoch;
}
