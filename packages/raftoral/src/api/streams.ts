/** Streams of runs as readers see them. */
import { RaftError } from "@raftoral/raft-core";
import { type CallLimit, callAborted, type ReadOptions } from "./call-options.ts";
import type { Payload } from "./payloads/payload.ts";

/** One chunk of a stream. */
export interface StreamChunk<Value = unknown> {
  /** From 0, without gaps. */
  readonly offset: number;
  readonly value: Value;
  /** Path of the step whose function wrote the chunk; absent for a chunk of the body. */
  readonly step?: string;
  /** Attempt of the step, from 1. A chunk of the same step with a higher epoch, or the same epoch and a higher attempt, was written by a later attempt. */
  readonly attempt?: number;
  /** The ownership of the run under which the chunk was written. */
  readonly epoch: number;
}

/** Which chunks to read. */
export interface StreamOptions extends ReadOptions {
  /** Offset of the first chunk. The first one that is kept by default. */
  readonly from?: number;
  /** Whether to wait for further chunks, until the stream or its run ends (true). Otherwise the chunks that are there now are given. */
  readonly follow?: boolean;
}

/** A checked read of a stream. */
export interface StreamRequest {
  readonly runId: string;
  readonly stream: string;
  readonly from: number | undefined;
  readonly follow: boolean;
}

/** Chunks as they are recorded, in their order. */
export type StreamPage = readonly StreamChunk<Payload>[];

/** Why a read of a stream ends before the stream does: its signal aborted, or its time is over. */
export function streamReadOver(what: string, { timeoutMs, signal }: CallLimit): Error {
  if (signal?.aborted === true) return callAborted(signal, what, "read");
  return new RaftError("DEADLINE_EXCEEDED", `${what} took longer than ${timeoutMs} ms. Read on from the last offset.`, {
    retryable: true,
    details: { timeoutMs },
  });
}
