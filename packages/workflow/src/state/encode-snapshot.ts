/**
 * The state as a stream of chunks.
 *
 * E1. What is captured is the state at the call: heads are immutable and checkpoints only grow, so a head and a count
 *     per run pin it.
 */
import type { CheckpointRecord } from "../command/command-result.ts";
import { encodeRecordedError } from "../command/encode-command.ts";
import { CHECKPOINT_KINDS, OUTCOMES } from "../command/wire-numbers.ts";
import { WireWriter } from "../command/wire-writer.ts";
import type { NodeRecord } from "./node-table.ts";
import type { RunHead, RunRecord } from "./run-record.ts";
import { NODE_STATUSES, OWNER_REASONS, RECORD, SNAPSHOT_FORMAT_VERSION, SNAPSHOT_MAGIC } from "./snapshot-format.ts";
import type { Tables } from "./tables.ts";

interface Capture {
  readonly clock: number;
  readonly lastEpoch: number;
  readonly nodes: readonly NodeRecord[];
  readonly runs: readonly RunRecord[];
  readonly heads: readonly RunHead[];
  readonly checkpointCounts: readonly number[];
}

/** Captures now, encodes as chunks are taken. Chunks have at least `chunkBytes`, and at most one record more. */
export function encodeSnapshot(tables: Tables, chunkBytes: number): Iterable<Uint8Array> {
  const runs = [...tables.runs.finished(), ...tables.runs.running()];
  return chunks(
    {
      clock: tables.clock,
      lastEpoch: tables.lastEpoch,
      nodes: tables.nodes.all(),
      runs,
      heads: runs.map((run) => run.head),
      checkpointCounts: runs.map((run) => run.checkpoints.size),
    },
    chunkBytes,
  );
}

function* chunks(capture: Capture, chunkBytes: number): Generator<Uint8Array> {
  const out = new WireWriter(chunkBytes + 4096);
  const content = new WireWriter(4096);
  const flush = function* (): Generator<Uint8Array> {
    const bytes = out.finish();
    out.reset();
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  };
  const emit = (kind: number): void => {
    out.varint(kind);
    out.varint(content.length);
    out.raw(content.view());
    content.reset();
  };

  out.raw(Uint8Array.from(SNAPSHOT_MAGIC));
  out.varint(SNAPSHOT_FORMAT_VERSION);
  content.uint(1, capture.clock);
  content.uint(2, capture.lastEpoch);
  emit(RECORD.header);
  for (const node of capture.nodes) {
    writeNode(content, node);
    emit(RECORD.node);
  }
  let checkpoints = 0;
  for (const [position, run] of capture.runs.entries()) {
    writeRun(content, run, capture.heads[position] ?? run.head);
    emit(RECORD.run);
    let left = capture.checkpointCounts[position] ?? 0;
    checkpoints += left;
    for (const [key, checkpoint] of run.checkpoints) {
      if (left === 0) break;
      left -= 1;
      writeCheckpoint(content, key, checkpoint);
      emit(RECORD.checkpoint);
      if (out.length >= chunkBytes) yield* flush();
    }
    if (out.length >= chunkBytes) yield* flush();
  }
  content.uint(1, capture.nodes.length);
  content.uint(2, capture.runs.length);
  content.uint(3, checkpoints);
  emit(RECORD.end);
  yield* flush();
}

function writeNode(to: WireWriter, node: NodeRecord): void {
  to.uint(1, node.nodeId);
  to.string(2, node.incarnation);
  to.uint(3, NODE_STATUSES.indexOf(node.status));
  for (const { type, version } of node.types) {
    const entry = new WireWriter(64);
    entry.string(1, type);
    entry.uint(2, version);
    to.message(4, entry.finish());
  }
}

function writeRun(to: WireWriter, run: RunRecord, head: RunHead): void {
  to.string(1, run.runId);
  to.string(2, run.type);
  to.uint(3, run.version);
  to.bytes(4, run.input);
  to.bytes(5, run.seed);
  to.uint(6, run.startedAt);
  to.uint(7, run.startIndex);
  to.uint(8, head.owner);
  to.uint(9, head.epoch);
  to.uint(10, head.attempt);
  if (head.status === "Running") {
    to.uint(16, OWNER_REASONS.indexOf(head.reason));
    to.bool(17, head.cancelReason !== undefined);
    to.string(18, head.cancelReason ?? "");
    for (const signal of head.signals) {
      const entry = new WireWriter(128);
      entry.string(1, signal.name);
      entry.bytes(2, signal.payload);
      entry.uint(3, signal.at);
      to.message(19, entry.finish());
    }
    for (const id of head.signalIds) to.string(20, id);
    return;
  }
  for (const id of head.signalIds) to.string(20, id);
  to.bool(32, true);
  to.uint(33, OUTCOMES.indexOf(head.outcome.status));
  if (head.outcome.status === "Completed") to.bytes(34, head.outcome.result);
  if (head.outcome.status === "Failed") to.message(35, encodeRecordedError(head.outcome.error));
  if (head.outcome.status === "Cancelled") to.string(36, head.outcome.reason);
  to.uint(37, head.endedAt);
  to.uint(38, head.endIndex);
}

function writeCheckpoint(to: WireWriter, key: string, checkpoint: CheckpointRecord): void {
  to.string(1, key);
  to.uint(2, CHECKPOINT_KINDS.indexOf(checkpoint.record));
  to.bytes(3, checkpoint.value);
  to.uint(4, checkpoint.at);
  to.uint(5, checkpoint.index);
  to.uint(6, checkpoint.epoch);
}
