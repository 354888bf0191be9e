/** Reads streams of runs: chunks, with what the definition's schema makes of them. */
import { chunkOf, type StreamDefinition, type StreamValue, validated } from "@raftoral/workflow";
import { chunksArgument, readLimitArgument, runIdArgument, signalArgument, streamNameArgument } from "../arguments.ts";
import { pagesWithin } from "../call-options.ts";
import type { StreamChunk, StreamOptions } from "../streams.ts";
import type { WorkflowsPort } from "../workflows-port.ts";

/** A stream as a caller names it. */
export interface AskedStream<Stream> {
  readonly runId: string;
  readonly stream: Stream;
  readonly options: StreamOptions | undefined;
}

/** The chunks of a stream. `timeoutMs`: for calls that name no time and do not follow the stream. */
export async function* readChunks<Stream extends StreamDefinition | string>(
  port: WorkflowsPort,
  timeoutMs: number,
  { runId, stream, options }: AskedStream<Stream>,
): AsyncGenerator<StreamChunk<StreamValue<Stream>>, void, undefined> {
  const id = runIdArgument(runId);
  const { name: given, schema } = signalArgument(stream);
  const name = streamNameArgument(given);
  const request = { runId: id, stream: name, ...chunksArgument(options) };
  const limit = readLimitArgument(options, request.follow ? Number.POSITIVE_INFINITY : timeoutMs);
  const pages = pagesWithin(port.stream(request, limit), limit, `Reading stream ${name} of run ${id}`);
  for await (const page of pages) {
    for (const { value: payload, ...chunk } of page) {
      const value: unknown = payload.value();
      const taken = schema === undefined ? value : await validated(schema, value, chunkOf(name));
      yield { ...chunk, value: taken as StreamValue<Stream> };
    }
  }
}
