/**
 * Reads a snapshot back, chunk by chunk, into tables of its own: the state in use is not touched until all is read.
 *
 * D1. Anything that {@link encodeSnapshot} would not have written (another magic, a newer format, a cut-off or repeated
 *     record, counts that disagree) is refused with SNAPSHOT_INVALID.
 */
import { readRecordedError } from "../command/decode-command.ts";
import { CHECKPOINT_KINDS, OUTCOMES } from "../command/wire-numbers.ts";
import { WireReader } from "../command/wire-reader.ts";
import type { RunOutcome, TypeVersion } from "../command/workflow-command.ts";
import { WorkflowError } from "../errors.ts";
import type { BufferedSignal, RunHead, RunRecord } from "./run-record.ts";
import {
  MAX_RECORD_BYTES,
  NODE_STATUSES,
  OWNER_REASONS,
  RECORD,
  SNAPSHOT_FORMAT_VERSION,
  SNAPSHOT_MAGIC,
} from "./snapshot-format.ts";
import { Tables } from "./tables.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
/** A record's kind and length take at most this many bytes. */
const MAX_PREFIX_BYTES = 11;

export class SnapshotDecoder {
  readonly #tables = new Tables();
  /** What is not consumed yet, and how long it must be before looking at it again is worth while. */
  #pending: Uint8Array = EMPTY;
  #wanted = 0;
  readonly #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #phase: "magic" | "header" | "records" | "ended" = "magic";
  #run: RunRecord | undefined;
  #nodes = 0;
  #runs = 0;
  #checkpoints = 0;

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

  /** The state that was read. Throws SNAPSHOT_INVALID when the end is missing. */
  finish(): Tables {
    if (this.#phase !== "ended" || this.#pending.length + this.#chunkBytes > 0) throw invalid("it is cut off");
    return this.#tables;
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
    return { kind, content: new WireReader(bytes, at, at + length) };
  }

  #take(kind: number, content: WireReader): void {
    if ((this.#phase === "header") !== (kind === RECORD.header)) throw invalid(`record ${kind} is out of place`);
    if (this.#phase === "ended") throw invalid("something follows its end");
    switch (kind) {
      case RECORD.header:
        for (let field = content.field(); field !== 0; field = content.field()) {
          if (field === 1) this.#tables.clock = content.uint();
          else if (field === 2) this.#tables.lastEpoch = content.uint();
          else content.skip();
        }
        this.#phase = "records";
        return;
      case RECORD.node:
        this.#nodes += 1;
        readNode(content, this.#tables);
        return;
      case RECORD.run:
        this.#runs += 1;
        this.#run = readRun(content);
        if (this.#tables.runs.get(this.#run.runId) !== undefined) throw invalid(`run ${this.#run.runId} comes twice`);
        if (this.#run.head.epoch > this.#tables.lastEpoch) throw invalid(`run ${this.#run.runId} is from the future`);
        this.#tables.runs.add(this.#run);
        return;
      case RECORD.checkpoint:
        this.#checkpoints += 1;
        if (this.#run === undefined) throw invalid("a checkpoint comes before any run");
        readCheckpoint(content, this.#run);
        return;
      case RECORD.end:
        this.#end(content);
        return;
      default:
        throw invalid(`record kind ${kind} is unknown`);
    }
  }

  #end(content: WireReader): void {
    let [nodes, runs, checkpoints] = [0, 0, 0];
    for (let field = content.field(); field !== 0; field = content.field()) {
      if (field === 1) nodes = content.uint();
      else if (field === 2) runs = content.uint();
      else if (field === 3) checkpoints = content.uint();
      else content.skip();
    }
    if (nodes !== this.#nodes || runs !== this.#runs || checkpoints !== this.#checkpoints) {
      throw invalid("it does not hold as many records as it says");
    }
    this.#phase = "ended";
  }
}

function readNode(from: WireReader, tables: Tables): void {
  let [nodeId, incarnation, status] = [0, "", 0];
  const types: TypeVersion[] = [];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) nodeId = from.uint();
    else if (field === 2) incarnation = from.string();
    else if (field === 3) status = from.uint();
    else if (field === 4) {
      const entry = from.message();
      let [type, version] = ["", 0];
      for (let inner = entry.field(); inner !== 0; inner = entry.field()) {
        if (inner === 1) type = entry.string();
        else if (inner === 2) version = entry.uint();
        else entry.skip();
      }
      types.push({ type, version });
    } else from.skip();
  }
  if (nodeId === 0 || tables.nodes.get(nodeId) !== undefined) throw invalid(`node ${nodeId} is out of place`);
  tables.nodes.put(nodeId, incarnation, named(NODE_STATUSES, status, "node status"), types);
}

function readRun(from: WireReader): RunRecord {
  let [runId, type, version, input, seed, startedAt, startIndex] = ["", "", 0, EMPTY, EMPTY, 0, 0];
  let [owner, epoch, attempt, reason, cancelled, cancelReason] = [0, 0, 0, 0, false, ""];
  let [finished, status, result, reasonText, endedAt, endIndex] = [false, 0, EMPTY, "", 0, 0];
  let error = { name: "", message: "" };
  const signals: BufferedSignal[] = [];
  const signalIds: string[] = [];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) type = from.string();
    else if (field === 3) version = from.uint();
    else if (field === 4) input = from.bytes();
    else if (field === 5) seed = from.bytes();
    else if (field === 6) startedAt = from.uint();
    else if (field === 7) startIndex = from.uint();
    else if (field === 8) owner = from.uint();
    else if (field === 9) epoch = from.uint();
    else if (field === 10) attempt = from.uint();
    else if (field === 16) reason = from.uint();
    else if (field === 17) cancelled = from.bool();
    else if (field === 18) cancelReason = from.string();
    else if (field === 19) signals.push(readSignal(from.message()));
    else if (field === 20) signalIds.push(from.string());
    else if (field === 32) finished = from.bool();
    else if (field === 33) status = from.uint();
    else if (field === 34) result = from.bytes();
    else if (field === 35) error = readRecordedError(from.message());
    else if (field === 36) reasonText = from.string();
    else if (field === 37) endedAt = from.uint();
    else if (field === 38) endIndex = from.uint();
    else from.skip();
  }
  if (runId === "") throw invalid("a run has no id");
  const name = named(OUTCOMES, status, "outcome");
  const outcome: RunOutcome =
    name === "Completed"
      ? { status: name, result }
      : name === "Failed"
        ? { status: name, error }
        : { status: name, reason: reasonText };
  const head: RunHead = finished
    ? { status: "Finished", outcome, endedAt, endIndex, signalIds, owner, epoch, attempt }
    : {
        status: "Running",
        owner,
        epoch,
        attempt,
        reason: named(OWNER_REASONS, reason, "owner reason"),
        cancelReason: cancelled ? cancelReason : undefined,
        signals,
        signalIds,
      };
  return { runId, type, version, input, seed, startedAt, startIndex, head, checkpoints: new Map() };
}

function readSignal(from: WireReader): BufferedSignal {
  let [name, payload, at] = ["", EMPTY, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) name = from.string();
    else if (field === 2) payload = from.bytes();
    else if (field === 3) at = from.uint();
    else from.skip();
  }
  return { name, payload, at };
}

function readCheckpoint(from: WireReader, run: RunRecord): void {
  let [key, kind, value, at, index, epoch] = ["", 0, EMPTY, 0, 0, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) key = from.string();
    else if (field === 2) kind = from.uint();
    else if (field === 3) value = from.bytes();
    else if (field === 4) at = from.uint();
    else if (field === 5) index = from.uint();
    else if (field === 6) epoch = from.uint();
    else from.skip();
  }
  if (run.checkpoints.has(key)) throw invalid(`checkpoint ${key} of run ${run.runId} comes twice`);
  run.checkpoints.set(key, { record: named(CHECKPOINT_KINDS, kind, "checkpoint kind"), value, at, index, epoch });
}

function named<T>(names: readonly T[], number: number, what: string): T {
  const name = names[number];
  if (name === undefined) throw invalid(`${what} ${number} is unknown`);
  return name;
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

function invalid(what: string, cause?: unknown): WorkflowError {
  return new WorkflowError("SNAPSHOT_INVALID", `The workflow snapshot cannot be restored: ${what}`, { cause });
}
