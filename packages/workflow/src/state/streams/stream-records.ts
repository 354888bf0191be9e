/** Puts the records of a run's streams from a snapshot into a store; what does not belong together is refused with SNAPSHOT_INVALID. */
import type { WireReader } from "@raftoral/raft-core/wire";
import { chunksIn, MAX_CHUNKS_PER_ENTRY } from "../../model/stream.ts";
import { streamBatchKey, streamKey } from "../../records/state-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { RecordSink } from "../runs/run-records.ts";
import { invalid, RECORD } from "../snapshots/snapshot-format.ts";
import { batchCodec, headCodec, scopeCodec, written } from "./stream-codec.ts";
import { putBatch, putStream, scopeAt } from "./stream-table.ts";

/** `kind` is one of a stream's. `run` is the run that the record follows. */
export function putStreamRecord(to: RecordSink, run: RunRecord, kind: number, content: WireReader): void {
  const { runId, startKey } = run;
  if (kind === RECORD.stream) {
    const head = headCodec.read(content);
    const { name, number, first, next } = head;
    if (name === "" || number === 0 || first > next) throw invalid(`a stream of run ${runId} is malformed`);
    if (to.get(streamKey(startKey, name)) !== undefined) throw invalid(`stream ${name} of run ${runId} comes twice`);
    putStream(to, run, head);
  } else if (kind === RECORD.streamBatch) {
    const batch = batchCodec.read(content);
    const { stream, offset, chunks, spans } = batch;
    const isSound = stream > 0 && chunks > 0 && chunks <= MAX_CHUNKS_PER_ENTRY && chunks === chunksIn(spans);
    if (!isSound) throw invalid(`a batch of run ${runId} is malformed`);
    const isTwice = to.get(streamBatchKey(startKey, stream, offset)) !== undefined;
    if (isTwice) throw invalid(`the batch at ${offset} of stream ${stream} of run ${runId} comes twice`);
    putBatch(to, run, batch);
  } else {
    const counted = scopeCodec.read(content);
    const { stream, scope, chunks } = counted;
    if (stream === 0 || chunks === 0) throw invalid(`a count of a stream of run ${runId} is malformed`);
    const { key, counted: before } = scopeAt(to, run, stream, scope);
    if (before > 0) throw invalid(`scope ${scope} of stream ${stream} of run ${runId} comes twice`);
    to.put(key, written(scopeCodec, counted));
  }
}
