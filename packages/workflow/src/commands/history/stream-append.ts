/**
 * StreamAppend: a run's owner appends chunks to one or several of the run's streams; to all of them or to none.
 *
 * SA1. A part names the offset of its first chunk. Chunks that the stream has already are not appended again; chunks that would leave a gap, or overlap with
 *      what is there, are refused.
 * SA2. What a stream keeps is bounded by the numbers that the command carries, so that all nodes drop the same chunks.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import {
  chunksIn,
  MAX_CHUNK_BYTES_PER_ENTRY,
  MAX_CHUNKS_PER_ENTRY,
  MAX_STREAM_NAME_LENGTH,
  MAX_STREAMS_PER_RUN,
  type StreamSpan,
  spanCodec,
} from "../../model/stream.ts";
import type { RunRecord } from "../../state/runs/run-record.ts";
import type { Tables } from "../../state/tables.ts";
import { bool, messages, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { defineCommand } from "../command.ts";
import { ownedRun } from "../find-run.ts";
import { type Refused, refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/** What one stream gets. */
export interface StreamPart {
  readonly name: string;
  /** Of the first chunk; of the end, if there are no chunks. */
  readonly offset: number;
  readonly spans: readonly StreamSpan[];
  /** Whether the stream ends after them. */
  readonly ends: boolean;
}

/** Appends to streams of a run (SA1, SA2). Refused with STALE_OWNER unless it comes from the run's owner. */
export interface StreamAppend {
  readonly kind: "StreamAppend";
  readonly runId: string;
  readonly parts: readonly StreamPart[];
  /** Chunks that each of the streams keeps at most, whole batches at a time. */
  readonly keepChunks: number;
  /** Bytes that each of them keeps at most. */
  readonly keepBytes: number;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

const partCodec = messageCodec<StreamPart>(
  { name: string(1), offset: uint(2), spans: messages(3, spanCodec), ends: bool(4) },
  {},
);

export const streamAppend = defineCommand<StreamAppend, Done>({
  kind: "StreamAppend",
  field: 28,
  summary: "Appends chunks to streams of a run.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    parts: messages(2, partCodec),
    keepChunks: uint(3),
    keepBytes: uint(4),
    atMs: uint(16),
    owner: uint(17),
    epoch: uint(18),
  },
  apply(tables, command) {
    const { runId, parts, keepChunks, keepBytes } = command;
    const problem = problemOf(parts);
    if (problem !== undefined) return refused("COMMAND_INVALID", `An append to streams of run ${runId} ${problem}.`);
    const found = ownedRun(tables, command);
    if (!found.ok) return found;
    const { run } = found;
    const fresh: StreamPart[] = [];
    for (const part of parts) {
      const place = placeOf(tables, run, part);
      if (place === "fresh") fresh.push(part);
      else if (place !== "there") return place;
    }
    const { streams } = tables;
    const added = fresh.filter(({ name }) => streams.find(run, name) === undefined).length;
    if (added > 0 && streams.countOf(run) + added > MAX_STREAMS_PER_RUN) {
      return refused(
        "STREAM_LIMIT_REACHED",
        `Run ${runId} has as many streams as a run may have: ${MAX_STREAMS_PER_RUN}. Write to one of them.`,
        { runId },
      );
    }
    const keep = { chunks: keepChunks, bytes: keepBytes };
    if (fresh.length > 0) tables.runs.mark(run, "hasExtras");
    for (const { name, spans, ends } of fresh) {
      const { next, hasEnded } = streams.append(run, name, { spans, ends, epoch: command.epoch, keep });
      tables.events.push({
        type: "stream-appended",
        index: tables.index,
        atMs: tables.clock,
        runId,
        workflowType: run.workflowType,
        stream: name,
        nextOffset: next,
        hasEnded,
      });
    }
    return { ok: true, kind: "Done", changed: fresh.length > 0 };
  },
});

/** What no state makes valid, as the end of a sentence; undefined when nothing is wrong. */
function problemOf(parts: readonly StreamPart[]): string | undefined {
  if (parts.length === 0) return "names no stream";
  if (parts.length > MAX_STREAMS_PER_RUN) return `names ${parts.length} streams, more than ${MAX_STREAMS_PER_RUN}`;
  if (new Set(parts.map(({ name }) => name)).size < parts.length) return "names a stream twice";
  let [chunks, bytes] = [0, 0];
  for (const { name, spans, ends } of parts) {
    if (name.length === 0 || name.length > MAX_STREAM_NAME_LENGTH) return `has a name of ${name.length} characters`;
    if (spans.some(({ values }) => values.length === 0)) return "has a span without chunks";
    if (spans.length === 0 && !ends) return "has a part without chunks";
    chunks += chunksIn(spans);
    for (const { values } of spans) for (const value of values) bytes += value.length;
  }
  if (chunks > MAX_CHUNKS_PER_ENTRY) return `has ${chunks} chunks, more than ${MAX_CHUNKS_PER_ENTRY}`;
  return bytes > MAX_CHUNK_BYTES_PER_ENTRY ? `has ${bytes} bytes, more than ${MAX_CHUNK_BYTES_PER_ENTRY}` : undefined;
}

/** Whether the stream lacks the part's chunks, or has them (SA1). */
function placeOf(
  tables: Tables,
  run: RunRecord,
  { name, offset, spans, ends }: StreamPart,
): "fresh" | "there" | Refused {
  const head = tables.streams.find(run, name);
  const next = head?.next ?? 0;
  const hasEnded = head?.hasEnded === true;
  const chunks = chunksIn(spans);
  if (offset + chunks <= next && (chunks > 0 || hasEnded)) return "there";
  const { runId } = run;
  if (hasEnded) {
    return refused("STREAM_ENDED", `Stream ${name} of run ${runId} has ended. Write before its end.`, { runId });
  }
  if (offset === next) return "fresh";
  return refused(
    "STREAM_CONFLICT",
    `Stream ${name} of run ${runId} goes on at offset ${next}, not at ${offset} with ${chunks} chunks${ends ? " and its end" : ""}. Read the stream again.`,
    { runId, nextOffset: next },
  );
}
