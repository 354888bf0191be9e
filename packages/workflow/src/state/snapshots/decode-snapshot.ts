/**
 * Reads a snapshot, chunk by chunk, and puts what it holds into a store's replacement: the state in use is not touched until all is read.
 *
 * D1. Anything that {@link encodeSnapshot} would not have written (another magic, a newer format, a cut-off or repeated
 *     record, counts that disagree) is refused with SNAPSHOT_INVALID.
 * D2. What is in memory is one record, and what the replacement has not written yet.
 */

import type { WireReader } from "@raftoral/raft-core/wire";
import { WorkflowError } from "../../errors.ts";
import { needsOf, needsText } from "../../model/runs/run-needs.ts";
import { nodeCodec } from "../../nodes/node-record.ts";
import { nodeKey, vacatedKey } from "../../nodes/node-table.ts";
import type { Seat } from "../../nodes/seat.ts";
import { HEADER_KEY, KEY_PREFIX, numberKey } from "../../records/state-keys.ts";
import { readerOf } from "../../wire/command-wire.ts";
import { encodeArchive, MAX_ARCHIVED_BYTES, MAX_ARCHIVED_CHECKPOINTS } from "../archive.ts";
import { restoreAttributeChange } from "../history/attribute-changes.ts";
import { putLatest } from "../history/latest-variables.ts";
import { keyOf, stepsIn } from "../history/step-progress-records.ts";
import { RunCounters } from "../lists/run-counters.ts";
import type { WaitingRuns } from "../lists/run-counts.ts";
import { indexKeys } from "../lists/run-index.ts";
import { statusNumber } from "../lists/run-status.ts";
import { RestoredLocks } from "../locks/restored-locks.ts";
import { RestoredQueues } from "../queues/restored-queues.ts";
import { decodeHistoryRecord, decodeRun, encodeHistoryRecord } from "../runs/record-codec.ts";
import type { RunningHead, RunRecord } from "../runs/run-record.ts";
import {
  placeKey,
  putArchive,
  putHistoryRecord,
  putId,
  putInput,
  putNamed,
  putOutcome,
  putRun,
  putSignal,
  type RecordSink,
  startOf,
} from "../runs/run-records.ts";
import { sizingKey } from "../runs/run-sizes.ts";
import { encodeHeader } from "../state-header.ts";
import { putStreamRecord } from "../streams/stream-records.ts";
import { RestoredUpdates } from "../updates/restored-updates.ts";
import { invalid, MAX_RECORD_BYTES, RECORD, SNAPSHOT_FORMAT_VERSION, SNAPSHOT_MAGIC } from "./snapshot-format.ts";
import { AUDIT, SNAPSHOT_RECORDS, TOMBSTONES } from "./snapshot-records.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
/** A record's kind and length take at most this many bytes. */
const MAX_PREFIX_BYTES = 11;

/** Checkpoints of a run that has ended. */
interface Held {
  readonly contents: Uint8Array[];
  readonly paths: Set<string>;
  bytes: number;
}

/**
 * Decodes one snapshot: `push` each chunk in order, then `finish`. Both throw SNAPSHOT_INVALID (D1); after a throw the decoder and what it has
 * written are to be discarded.
 */
export class SnapshotDecoder {
  readonly #sink: RecordSink;
  /** What is not consumed yet, and how long it must be before looking at it again is worth while. */
  #pending: Uint8Array = EMPTY;
  #wanted = 0;
  readonly #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #phase: "magic" | "header" | "records" | "ended" = "magic";
  /** The run whose checkpoints are being read; their number is written with it once it is known. */
  #run: RunRecord | undefined;
  /** Its checkpoints, as long as they may become its archive. */
  #held: Held | undefined;
  /** Of its steps, how many have come with their progress. */
  #stepsInProgress = 0;
  readonly #updates = new RestoredUpdates();
  readonly #queues = new RestoredQueues();
  readonly #locks = new RestoredLocks();
  #clock = 0;
  #lastEpoch = 0;
  #salt = "";
  #uptimeMs = 0;
  #finished = 0;
  #finishedBytes = 0;
  #auditBytes = 0;
  #stuck = 0;
  #paused = 0;
  #delayed = 0;
  readonly #counters = new RunCounters();
  readonly #loads = new Map<Seat, number>();
  readonly #waiting = new Map<string, WaitingRuns>();
  /** How many records there were, by kind. */
  readonly #counts = new Map<number, number>();

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  /** Takes the next chunk; it is copied as far as it is kept. Throws SNAPSHOT_INVALID. */
  push(chunk: Uint8Array): void {
    if (this.#pending.length + this.#chunkBytes + chunk.length < this.#wanted) {
      this.#chunks.push(chunk.slice());
      this.#chunkBytes += chunk.length;
      return;
    }
    this.#pending = joined([this.#pending, ...this.#chunks.splice(0), chunk]);
    this.#chunkBytes = 0;
    try {
      this.#consume();
    } catch (cause) {
      if (cause instanceof WorkflowError && cause.code === "COMMAND_INVALID") throw invalid(cause.message, cause);
      throw cause;
    }
    this.#pending = this.#pending.slice();
  }

  /** All is read and put. Throws SNAPSHOT_INVALID when the end is missing. */
  finish(): void {
    if (this.#phase !== "ended" || this.#pending.length + this.#chunkBytes > 0) throw invalid("it is cut off");
  }

  #consume(): void {
    if (this.#phase === "magic") {
      if (this.#pending.length < SNAPSHOT_MAGIC.length + 1) return;
      if (SNAPSHOT_MAGIC.some((byte, at) => this.#pending[at] !== byte)) throw invalid("it does not begin like one");
      const version = this.#pending[SNAPSHOT_MAGIC.length];
      if (version !== SNAPSHOT_FORMAT_VERSION) {
        throw invalid(`its format version is ${version}, this node reads ${SNAPSHOT_FORMAT_VERSION}`);
      }
      this.#pending = this.#pending.subarray(SNAPSHOT_MAGIC.length + 1);
      this.#phase = "header";
    }
    for (let record = this.#next(); record !== undefined; record = this.#next())
      this.#take(record.kind, record.content);
  }

  #next(): { kind: number; content: WireReader } | undefined {
    const bytes = this.#pending;
    this.#wanted = 0;
    let at = 0;
    const prefix = [0, 0];
    for (let part = 0; part < 2; part++) {
      let scale = 1;
      for (;;) {
        const byte = bytes[at++];
        if (byte === undefined) return undefined;
        if (at > MAX_PREFIX_BYTES) throw invalid("a record's length is malformed");
        prefix[part] = (prefix[part] ?? 0) + (byte & 0x7f) * scale;
        scale *= 128;
        if (byte < 0x80) break;
      }
    }
    const [kind = 0, length = 0] = prefix;
    if (length > MAX_RECORD_BYTES) throw invalid(`a record has ${length} bytes`);
    if (bytes.length - at < length) {
      this.#wanted = at + length;
      return undefined;
    }
    this.#pending = bytes.subarray(at + length);
    return { kind, content: readerOf(bytes, at, at + length) };
  }

  #take(kind: number, content: WireReader): void {
    if ((this.#phase === "header") !== (kind === RECORD.header)) throw invalid(`record ${kind} is out of place`);
    if (this.#phase === "ended") throw invalid("something follows its end");
    switch (kind) {
      case RECORD.header:
        for (let field = content.field(); field !== 0; field = content.field()) {
          if (field === 1) this.#clock = content.uint();
          else if (field === 2) this.#lastEpoch = content.uint();
          else if (field === 3) this.#salt = content.string();
          else if (field === 4) this.#uptimeMs = content.uint();
          else content.skip();
        }
        this.#phase = "records";
        return;
      case RECORD.run:
        this.#count(kind);
        this.#endRun();
        this.#run = this.#putRun(content);
        return;
      case RECORD.checkpoint:
        this.#count(kind);
        if (this.#run === undefined) throw invalid("a checkpoint comes before any run");
        this.#putCheckpoint(content, this.#run);
        return;
      case RECORD.progress:
        this.#count(kind);
        if (this.#run === undefined) throw invalid("a step's progress comes before any run");
        this.#putProgress(content, this.#run);
        return;
      case RECORD.stream:
      case RECORD.streamBatch:
      case RECORD.streamScope:
        this.#count(kind);
        if (this.#run === undefined) throw invalid("a stream comes before any run");
        assertExtras(this.#run, "streams");
        putStreamRecord(this.#sink, this.#run, kind, content);
        return;
      case RECORD.update:
        this.#count(kind);
        if (this.#run === undefined) throw invalid("an update comes before any run");
        this.#updates.take(this.#sink, this.#run, content);
        return;
      case RECORD.attributeChange:
        this.#count(kind);
        if (this.#run === undefined) throw invalid("a change of attributes comes before any run");
        assertExtras(this.#run, "changes of attributes");
        restoreAttributeChange(this.#sink, this.#run, content);
        return;
      case RECORD.end:
        this.#endRun();
        this.#end(content);
        return;
      default:
        this.#count(kind);
        this.#putRecord(kind, content);
        return;
    }
  }

  #end(content: WireReader): void {
    const said = new Map<number, number>();
    for (let kind = content.field(); kind !== 0; kind = content.field()) said.set(kind, content.uint());
    const isWhole =
      said.size === this.#counts.size && [...said].every(([kind, count]) => this.#counts.get(kind) === count);
    if (!isWhole) throw invalid("it does not hold as many records as it says");
    this.#queues.finish();
    this.#locks.finish(this.#sink, this.#lastEpoch);
    const [finished, loads, waiting] = [this.#finished, this.#loads, this.#waiting];
    const tombstones = this.#counts.get(TOMBSTONES) ?? 0;
    const audit = { auditEntries: this.#counts.get(AUDIT) ?? 0, auditBytes: this.#auditBytes };
    const ended = { finished, finishedBytes: this.#finishedBytes, tombstones, ...audit };
    const counts = { ...ended, loads, waiting, stuck: this.#stuck, paused: this.#paused, delayed: this.#delayed };
    const [clock, lastEpoch, salt, uptimeMs] = [this.#clock, this.#lastEpoch, this.#salt, this.#uptimeMs];
    this.#counters.save(this.#sink);
    this.#sink.put(HEADER_KEY, encodeHeader({ clock, lastEpoch, salt, uptimeMs, ...counts }));
    this.#phase = "ended";
  }

  #count(kind: number): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  #putRecord(kind: number, content: WireReader): void {
    const records = SNAPSHOT_RECORDS.find(({ number }) => number === kind);
    if (records === undefined) throw invalid(`record kind ${kind} is unknown`);
    const bytes = content.rest();
    const key = records.keyOf(content);
    if (this.#sink.get(key) !== undefined) throw invalid(`record ${JSON.stringify(key)} of kind ${kind} comes twice`);
    this.#sink.put(key, bytes);
    this.#queues.took(key, bytes);
    this.#locks.took(key, bytes);
    if (kind === AUDIT) this.#auditBytes += bytes.length;
    const entry = records.entryOf?.(readerOf(bytes));
    if (entry !== undefined) this.#sink.put(...entry);
  }

  #putRun(content: WireReader): RunRecord {
    const { facts, head, attributes, hasExtras, hasAsked, input, outcome, signals } = decodeRun(content);
    const { runId, startIndex } = facts;
    const startKey = numberKey(startIndex);
    const isKnown = startOf(this.#sink, runId) !== undefined;
    if (isKnown || this.#sink.get(KEY_PREFIX.run + startKey) !== undefined) throw invalid(`run ${runId} comes twice`);
    if (head.epoch > this.#lastEpoch) throw invalid(`run ${runId} is from the future`);
    const run: RunRecord = {
      ...facts,
      startKey,
      head,
      attributes,
      hasExtras,
      hasAsked,
      recordCount: undefined,
      hashes: undefined,
      signals,
    };
    this.#held = head.status === "finished" ? { contents: [], paths: new Set(), bytes: 0 } : undefined;
    // Here already, so that a second run of the id, or the place, is noticed.
    putRun(this.#sink, run);
    putId(this.#sink, run);
    this.#sink.put(placeKey(run), EMPTY);
    for (const key of indexKeys(run)) this.#sink.put(key, EMPTY);
    this.#counters.add(run.workflowType, statusNumber(head), 1);
    putInput(this.#sink, run, input);
    if (head.status === "finished") {
      putOutcome(this.#sink, run, outcome);
      this.#finished += 1;
      this.#finishedBytes += head.bytes;
      const sizing = sizingKey(run);
      if (sizing !== undefined) this.#sink.put(sizing, EMPTY);
    } else {
      for (const signal of signals) putSignal(this.#sink, run, signal);
      this.#queues.put(this.#sink, run);
      this.#putOnSeat(run, head);
    }
    return run;
  }

  /** A run on a seat that is neither held nor vacated would stay there for ever. */
  #putOnSeat(run: RunRecord, { owner, seat, stuck, queued }: RunningHead): void {
    const { runId } = run;
    if (stuck !== undefined) {
      if (seat !== 0) throw invalid(`run ${runId} is stuck, and on seat ${seat}`);
      this.#stuck += 1;
      if (stuck === "paused") this.#paused += 1;
      if (stuck === "delayed") this.#delayed += 1;
      return;
    }
    if (seat === 0 && queued !== undefined) return;
    if (seat === 0) {
      const needs = needsOf(run);
      const wanted = needsText(needs);
      this.#waiting.set(wanted, { ...needs, runs: (this.#waiting.get(wanted)?.runs ?? 0) + 1 });
      return;
    }
    this.#loads.set(seat, (this.#loads.get(seat) ?? 0) + 1);
    if (this.#sink.get(vacatedKey(seat)) !== undefined) return;
    const node = this.#sink.get(nodeKey(owner));
    if (node === undefined || nodeCodec.read(readerOf(node)).seat !== seat) {
      throw invalid(`run ${runId} is on seat ${seat}, which node ${owner} does not hold`);
    }
  }

  #putCheckpoint(content: WireReader, run: RunRecord): void {
    const { path, record } = decodeHistoryRecord(content);
    const isTwice =
      this.#held === undefined
        ? putHistoryRecord(this.#sink, run, path, record) !== undefined
        : !this.#hold(this.#held, run, path, encodeHistoryRecord(path, record));
    putNamed(this.#sink, run, record.value);
    if (isTwice) throw invalid(`checkpoint ${path} of run ${run.runId} comes twice`);
    if (record.kind !== "variable") return;
    assertExtras(run, "variables");
    putLatest(this.#sink, run, path);
  }

  #putProgress(content: WireReader, run: RunRecord): void {
    const bytes = content.rest();
    const steps = stepsIn(bytes);
    const [first] = steps;
    if (first === undefined) throw invalid(`run ${run.runId} has progress of no step`);
    const key = keyOf(run, first.path);
    const paths = new Set(steps.map(({ path }) => path));
    if (paths.size < steps.length || steps.some(({ path }) => keyOf(run, path) !== key))
      throw invalid(`run ${run.runId} has progress of steps that do not belong together`);
    if (this.#sink.get(key) !== undefined)
      throw invalid(`the progress of step ${first.path} of run ${run.runId} comes twice`);
    this.#sink.put(key, bytes);
    this.#stepsInProgress += steps.length;
  }

  /** Keeps a checkpoint for the run's archive; once they are too many for one, all are put. False for a path that is there. */
  #hold(held: Held, run: RunRecord, path: string, content: Uint8Array): boolean {
    if (held.paths.has(path)) return false;
    held.paths.add(path);
    held.contents.push(content);
    held.bytes += content.length;
    if (held.contents.length <= MAX_ARCHIVED_CHECKPOINTS && held.bytes <= MAX_ARCHIVED_BYTES) return true;
    this.#held = undefined;
    for (const each of held.contents) {
      const { path: other, record } = decodeHistoryRecord(readerOf(each));
      putHistoryRecord(this.#sink, run, other, record);
    }
    return true;
  }

  /** All of a run's checkpoints have come once something else comes. */
  #endRun(): void {
    const run = this.#run;
    this.#run = undefined;
    if (run !== undefined) this.#updates.end(run);
    if (run !== undefined && run.head.stepsInProgress !== this.#stepsInProgress)
      throw invalid(`run ${run.runId} has the progress of another number of steps than it says`);
    this.#stepsInProgress = 0;
    if (run?.head.status !== "finished") return;
    const archived = this.#held?.contents.length ?? 0;
    if (run.head.archived !== archived)
      throw invalid(`run ${run.runId} has another number of checkpoints than it says`);
    if (this.#held !== undefined && archived > 0) putArchive(this.#sink, run, encodeArchive(this.#held.contents));
  }
}

/** They would stay for ever once the run is pruned. */
function assertExtras({ runId, hasExtras }: RunRecord, what: string): void {
  if (!hasExtras) throw invalid(`run ${runId} has ${what}, and says that it has none`);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
