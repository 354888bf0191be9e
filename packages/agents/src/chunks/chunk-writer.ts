/** Writes an agent's chunks, where it has a stream. */
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

  /**
   * Resolves once the chunks are in the node's buffer. A chunk that is too large for a stream (an input or output of a tool) is left out, with a line in the log: the
   * record has the value. Rejects as `StreamWriter.write` does for everything else.
   */
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
