/** Streams of a run on a test cluster: what the nodes have of them, and whether that is what a test expects. */
import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import { Payload } from "../../api/payloads/payload.ts";
import { shown } from "../../api/payloads/shown-payload.ts";
import type { StreamChunk } from "../../api/streams.ts";
import type { TestNode } from "./test-node.ts";

/** The chunks that a node has of a stream; none for a run that it does not know. */
export async function chunksOn(
  { inside, payloads }: TestNode,
  runId: string,
  stream: string,
): Promise<readonly StreamChunk[]> {
  const chunks: StreamChunk[] = [];
  for (let from: number | undefined, hasMore = true; hasMore; ) {
    const page = await inside?.engine.stream({ runId, stream, from });
    for (const { offset, value, step, attempt, epoch } of page?.chunks ?? []) {
      const ofStep = step === undefined || attempt === undefined ? {} : { step, attempt };
      const decoded = (await shown(payloads, Payload.ofBytes(value, `chunk ${offset} of stream ${stream}`))).value();
      chunks.push({ offset, value: decoded, ...ofStep, epoch });
    }
    from = page?.nextOffset;
    hasMore = page?.hasMore === true;
  }
  return chunks;
}

/** Throws an AssertionError unless all nodes have the same chunks, and their values are `expected`, if given. Resolves with the chunks. */
export async function assertSameChunks(
  nodes: readonly TestNode[],
  {
    runId,
    stream,
    expected,
  }: { readonly runId: string; readonly stream: string; readonly expected: readonly unknown[] | undefined },
): Promise<readonly StreamChunk[]> {
  const [first = [], ...others] = await Promise.all(nodes.map((node) => chunksOn(node, runId, stream)));
  const actual = first.map(({ value }) => value);
  const differs = others.some((chunks) => !isDeepStrictEqual(chunks, first));
  if (!differs && (expected === undefined || isDeepStrictEqual(actual, [...expected]))) return first;
  const what = differs ? "nodes differ in its chunks" : "its chunks are not the expected ones";
  throw new AssertionError({
    message: `Stream ${stream} of run ${runId}: ${what}.`,
    actual,
    expected,
    operator: "assertChunks",
  });
}
