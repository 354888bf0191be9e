/**
 * Writes an agent's chunks, where it has a stream.
 *
 * CW1. The body does not wait for the log: its chunks go into the buffer in the turn in which it tells of something, so that a full buffer changes nothing in the order of its calls.
 *      There are a few for each call of a tool.
 * CW2. A step waits for room in the buffer: it may have any number of chunks.
 * CW3. A chunk that is too large for a stream (an input or output of a tool) is left out, with a line in the log: the record has the value.
 */
import { RaftoralError } from "@raftoral/raft-core";
import type { StreamDefinition, StreamWriter, WorkflowContext } from "@raftoral/workflow";
import type { AgentChunk } from "./agent-chunk.ts";

/** Where the chunks of one agent go. */
export class ChunkWriter {
  readonly #ctx: WorkflowContext;
  readonly #writer: StreamWriter<AgentChunk> | undefined;

  /** Without a `stream`, nothing is written. */
  constructor(ctx: WorkflowContext, stream: StreamDefinition<AgentChunk, unknown> | undefined) {
    this.#ctx = ctx;
    this.#writer = stream === undefined ? undefined : ctx.stream(stream);
  }

  /** Tells of something in the body (CW1). What `StreamWriter.write` rejects with fails the run, but for CW3. */
  tell(chunk: AgentChunk): void {
    void this.write([chunk]);
  }

  /** Writes inside of a step: resolves once the chunks are in the node's buffer (CW2). Rejects as `StreamWriter.write` does, but for CW3. */
  async write(chunks: readonly AgentChunk[]): Promise<void> {
    if (this.#writer === undefined) return;
    for (const chunk of chunks) {
      try {
        await this.#writer.write(chunk);
      } catch (error) {
        if (!(error instanceof RaftoralError) || error.code !== "PAYLOAD_TOO_LARGE") throw error;
        this.#ctx.log.warn({ chunk: chunk.type }, "A chunk is too large for the agent's stream, and was left out");
      }
    }
  }
}
