/**
 * Which record of a variable is its latest one: so that a variable is read without the run's history.
 *
 * LV1. A variable has one entry, whatever it was set to and how often. The entry names the record; the value stands there alone.
 * LV2. An entry follows from the run's records in the order in which they were committed. A snapshot does not hold it: it is made again when the records
 *      are restored.
 * LV3. Entries are kept as long as the run's records.
 * LV4. A retry takes back the later changes of a variable and no earlier ones, so the latest one that counts is found by halves.
 */
import type { StateKey, StateReader } from "@raftoral/raft-core";
import type { HistoryRecord } from "../../model/record.ts";
import { KEY_PREFIX, lastNumberIn, latestKey, numberIn, numberKey, pathHash } from "../../records/state-keys.ts";
import { readerOf, writerOf } from "../../wire/command-wire.ts";
import { string } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { decodeArchive } from "../archive.ts";
import { decodeHistoryRecord } from "../runs/record-codec.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { findHistoryRecord, type RecordSink } from "../runs/run-records.ts";

/** A variable as the state has it. Structured-cloneable. */
export interface RecordedVariable {
  /** Enclosing scopes and name, as in `ship/status`; with `#1` for the second of that name. */
  readonly name: string;
  readonly value: Uint8Array;
  /** The log clock when the value was recorded, in ms since the epoch. */
  readonly recordedAtMs: number;
}

/** Which variables to read. */
export interface VariableQuery {
  readonly runId: string;
  /** Absent: all. */
  readonly name?: string;
  /** `next` of the page before; absent for the first page. */
  readonly after?: string;
  /** Variables at most (1,000). */
  readonly maxVariables?: number;
  /** The page ends once names and values take so many bytes (1 MiB). */
  readonly maxBytes?: number;
}

/** One page, in no order. Structured-cloneable. */
export interface VariablePage {
  readonly variables: readonly RecordedVariable[];
  /** Present when there may be more. Opaque. */
  readonly next?: string;
}

type RecordAt = (path: string) => HistoryRecord | undefined;

interface Latest {
  readonly name: string;
  /** Of the latest record. */
  readonly path: string;
}

const DEFAULT_MAX_VARIABLES = 1_000;
const DEFAULT_MAX_BYTES = 1024 * 1024;
/** What a change adds to the path of its variable. No path of a step or a scope ends like this (calls/variable.ts). */
const SET = "/set";
const CHANGE = /\/set\d+$/;
const FIRST = "#0";

const codec = messageCodec<Latest>({ name: string(1), path: string(2) }, {});
const writer = writerOf(512);

/** The variable that a record is of, from the record's path: `ship/status` for `ship/status#0` and `ship/status#0/set7`. */
export function variableNameOf(path: string): string {
  const whole = path.replace(CHANGE, "");
  return whole.endsWith(FIRST) ? whole.slice(0, -FIRST.length) : whole;
}

/** A record of a variable has been put at `path`: it is the latest one. */
export function putLatest(to: RecordSink, run: RunRecord, path: string): void {
  const name = variableNameOf(path);
  const hash = pathHash(name);
  for (let probe = 0; ; probe++) {
    const key = latestKey(run.startKey, hash, probe);
    const found = to.get(key);
    if (found !== undefined && codec.read(readerOf(found)).name !== name) continue;
    writer.reset();
    codec.write(writer, { name, path });
    to.put(key, writer.finish());
    return;
  }
}

/** One page of a run's variables. `run` is as the state has it now. Undefined when `after` is of an earlier run with this id. */
export function variablePage(from: StateReader, run: RunRecord, query: VariableQuery): VariablePage | undefined {
  const recordAt = recordsOf(from, run);
  if (query.name !== undefined) {
    const latest = find(from, run, query.name);
    const variable = latest === undefined ? undefined : variableOf(latest, recordAt);
    return { variables: variable === undefined ? [] : [variable] };
  }
  const [start, hash, probe] = (query.after ?? `${run.startIndex}`).split(".").map(Number);
  if (start !== run.startIndex) return undefined;
  const prefix = KEY_PREFIX.latest + run.startKey;
  // The next key after the last one of the page before.
  const first = hash === undefined ? prefix : `${latestKey(run.startKey, hash, probe ?? 0)}\u0000`;
  const maxVariables = query.maxVariables ?? DEFAULT_MAX_VARIABLES;
  const maxBytes = query.maxBytes ?? DEFAULT_MAX_BYTES;
  const variables: RecordedVariable[] = [];
  let bytes = 0;
  let last = "";
  for (const [key, content] of from.scan(first, KEY_PREFIX.latest + numberKey(run.startIndex + 1))) {
    if (variables.length > 0 && (variables.length >= maxVariables || bytes >= maxBytes)) {
      return { variables, next: `${run.startIndex}.${last}` };
    }
    const variable = variableOf(codec.read(readerOf(content)), recordAt);
    if (variable === undefined) continue;
    variables.push(variable);
    bytes += variable.name.length + variable.value.length;
    last = `${hashIn(key)}.${lastNumberIn(key)}`;
  }
  return { variables };
}

function find(from: StateReader, run: RunRecord, name: string): Latest | undefined {
  const hash = pathHash(name);
  for (let probe = 0; ; probe++) {
    const found = from.get(latestKey(run.startKey, hash, probe));
    if (found === undefined) return undefined;
    const latest = codec.read(readerOf(found));
    if (latest.name === name) return latest;
  }
}

/** The hash of the variable's name, in the key of its entry. */
function hashIn(key: StateKey): number {
  return numberIn(key, KEY_PREFIX.latest.length + numberKey(0).length);
}

/** Undefined when a retry has gone back to before the variable. */
function variableOf({ name, path }: Latest, recordAt: RecordAt): RecordedVariable | undefined {
  const record = recordAt(path) ?? before(path, recordAt);
  return record === undefined ? undefined : { name, value: record.value, recordedAtMs: record.recordedAtMs };
}

/** The latest record of a variable that counts, when a retry has taken back the one at `path` (LV4). */
function before(path: string, recordAt: RecordAt): HistoryRecord | undefined {
  const whole = path.replace(CHANGE, "");
  let [low, high] = [0, path === whole ? 0 : Number(path.slice(whole.length + SET.length))];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (recordAt(`${whole}${SET}${middle}`) === undefined) high = middle;
    else low = middle + 1;
  }
  for (let change = low - 1; change >= 0; change--) {
    const record = recordAt(`${whole}${SET}${change}`);
    if (record?.kind === "variable") return record;
  }
  return recordAt(whole);
}

/** The records of a run by their paths: one look-up each, unless they are in an archive, which is read once. */
function recordsOf(from: StateReader, run: RunRecord): RecordAt {
  const archive = run.head.status === "finished" ? from.get(KEY_PREFIX.archive + run.startKey) : undefined;
  if (archive === undefined) return (path) => findHistoryRecord(from, run, path);
  const records = new Map<string, HistoryRecord>();
  for (const content of decodeArchive(archive)) {
    const { path, record } = decodeHistoryRecord(readerOf(content));
    records.set(path, record);
  }
  return (path) => records.get(path);
}
