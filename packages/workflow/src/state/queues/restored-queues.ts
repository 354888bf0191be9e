/** Checks that the queues of a snapshot count the runs that it has. What it keeps grows with the number of queues alone. */
import { KEY_PREFIX } from "../../records/state-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { RecordSink } from "../runs/run-records.ts";
import { invalid } from "../snapshots/snapshot-format.ts";
import { readFrom } from "../streams/stream-codec.ts";
import { awayFrom } from "./queue.ts";
import { keyRecordKey, storedQueueCodec } from "./queue-records.ts";

interface Counts {
  waiting: number;
  delayed: number;
  running: number;
  away: number;
}

/** The queues of one snapshot while it is read: `took` its records, `put` its runs, and `finish` at the end. Each throws SNAPSHOT_INVALID. */
export class RestoredQueues {
  /** What the queues say, less the runs that have come. */
  readonly #left = new Map<number, Counts>();
  readonly #byName = new Map<string, Counts>();

  /** A record of queues, under its key. */
  took(key: string, content: Uint8Array): void {
    if (!key.startsWith(KEY_PREFIX.queue)) return;
    const { queueId, name, waiting, delayed, running, away } = readFrom(storedQueueCodec, content);
    if (queueId === 0 || this.#left.has(queueId)) throw invalid(`queue ${queueId} comes twice, or is none`);
    const counts = { waiting, delayed, running, away };
    this.#left.set(queueId, counts);
    this.#byName.set(name, counts);
  }

  /** A run that has not ended. */
  put(sink: RecordSink, run: RunRecord): void {
    const { runId, head, queue } = run;
    const name = awayFrom(run);
    if (name !== undefined) {
      const counts = this.#byName.get(name);
      if (counts === undefined) throw invalid(`run ${runId} is of queue ${name}, which does not exist`);
      counts.away -= 1;
    }
    const place = head.status === "running" ? head.queued : undefined;
    if (head.status !== "running" || place === undefined) return;
    if (head.stuck !== undefined || queue === undefined)
      throw invalid(`run ${runId} is in a queue, and stuck or without one`);
    const counts = this.#left.get(place.queueId);
    if (counts === undefined) throw invalid(`run ${runId} is in queue ${place.queueId}, which does not exist`);
    const { stage, queueId } = place;
    if (stage !== "admitted" && head.seat !== 0) throw invalid(`run ${runId} waits in a queue, and is on a seat`);
    if (stage !== "delayed" && sink.get(keyRecordKey(queueId, queue.key)) === undefined)
      throw invalid(`run ${runId} is in a queue that does not know its key`);
    counts[stage === "admitted" ? "running" : stage] -= 1;
  }

  finish(): void {
    for (const [queueId, { waiting, delayed, running, away }] of this.#left) {
      if (waiting !== 0 || delayed !== 0 || running !== 0 || away !== 0)
        throw invalid(`queue ${queueId} counts other runs than it has`);
    }
  }
}
