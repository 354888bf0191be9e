/**
 * Fork: a new run that has the first part of another run's record, and goes on from there by itself.
 *
 * FK1. The new run has the type, version, seed and behaviours of the engine of the other one, and what that one had recorded before `from`: it takes the same course up to there. Its id is its own, so
 *      its idempotency keys, its tokens and the ids of its children are, too.
 * FK2. One command copies at most MAX_FORKED_RECORDS records of at most MAX_FORKED_BYTES. A longer history is refused.
 * FK3. Another input reaches the body as it is given. Where a schema makes another value of inputs, that is refused, unless nothing is copied: the body then asks its
 *      schema as at every start.
 * FK4. Updates and signals that wait at the other run stay there. Handlers of updates that it had accepted run again in the fork, and answer nothing.
 * FK5. The attributes of the new run are those that the other one had at that place (state/attribute-changes.ts AC1).
 * FK6. The other run is left as it is, whatever its status.
 */

import { CANCELLED_PATH, type HistoryRecord, INPUT_PATH } from "../../model/record.ts";
import { NO_LOSSES } from "../../model/runs/owner-losses.ts";
import { NO_UPDATES } from "../../model/update.ts";
import { KEY_PREFIX, rangeOf } from "../../records/state-keys.ts";
import type { RunningHead, RunRecord } from "../../state/runs/run-record.ts";
import { archivedRecords, counts, inputOf, recordAt, recordIn } from "../../state/runs/run-records.ts";
import type { Tables } from "../../state/tables.ts";
import { bool, bytes, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { refusedAsEnded } from "../find-run.ts";
import { BY_FIELD } from "../operators/operated.ts";
import { attributesAfter } from "../put-record.ts";
import { type Refused, refused } from "../refusal.ts";
import type { Done } from "../results.ts";
import { MAX_RUN_ID_LENGTH } from "../runs/workflow-start.ts";
import { namedRecord, notRecorded } from "./named-record.ts";

/** Records that a fork copies at most (FK2). */
export const MAX_FORKED_RECORDS = 1_024;
/** Bytes of these records at most. */
export const MAX_FORKED_BYTES = 1024 * 1024;

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * Starts a run from a part of another one's record. Answered with Done; `changed` is false when this request has done so before. Refused with WORKFLOW_NOT_FOUND,
 * WORKFLOW_ID_INVALID, WORKFLOW_ID_CONFLICT for an id that another run has, STEP_NOT_RECORDED, INPUT_INVALID (FK3), or FORK_TOO_LARGE.
 */
export interface Fork {
  readonly kind: "Fork";
  /** Of the new run. */
  readonly runId: string;
  /** Id of the run whose record is copied. */
  readonly source: string;
  /** Path of the first record that is not copied; empty: all are. */
  readonly from: string;
  /** Whether `input` takes the place of the other run's. */
  readonly hasInput: boolean;
  readonly input: Uint8Array;
  readonly reason: string;
  /** The same request again is done once. */
  readonly requestId: string;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
}

export const fork = defineCommand<Fork, Done>({
  kind: "Fork",
  field: 53,
  summary: "Starts a run with the first part of another run's record.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    source: string(2),
    from: string(3),
    hasInput: bool(4),
    input: bytes(5),
    reason: string(6),
    requestId: string(7),
    atMs: uint(8),
    by: optional(string(BY_FIELD)),
  },
  audited: ({ runId, source }) => ({ action: "fork", subject: source, detail: `as ${runId}` }),
  apply(tables, command) {
    const { runId, source: sourceId, requestId } = command;
    const existing = tables.runs.get(runId);
    const isRepeated = requestId !== "" && existing?.head.mending.requestId === requestId;
    if (isRepeated) return { ok: true, kind: "Done", changed: false };
    if (existing !== undefined) {
      return refused("WORKFLOW_ID_CONFLICT", `Run ${runId} exists. Choose another id for the fork of ${sourceId}.`, {
        runId,
        workflowType: existing.workflowType,
        version: existing.version,
      });
    }
    if (runId.length === 0 || runId.length > MAX_RUN_ID_LENGTH) {
      return refused(
        "WORKFLOW_ID_INVALID",
        `A run's id has 1 to ${MAX_RUN_ID_LENGTH} characters; this one has ${runId.length}. Choose another id.`,
      );
    }
    const source = tables.runs.get(sourceId);
    if (source === undefined) return refusedAsEnded(tables, sourceId);
    const copied = copiedOf(tables, source, command);
    if ("ok" in copied) return copied;
    start(tables, source, command, copied);
    return { ok: true, kind: "Done", changed: true };
  },
});

type Copied = readonly (readonly [path: string, record: HistoryRecord])[];

/** What the fork begins with, in the order in which it was committed. */
function copiedOf(tables: Tables, source: RunRecord, { from, hasInput }: Fork): Copied | Refused {
  const { records } = tables.runs;
  const { runId } = source;
  const named = from === "" ? undefined : namedRecord(tables, source, from);
  if (from !== "" && named === undefined) return notRecorded(source, from);
  // A fork is not cancelled.
  const heard = recordAt(records, source, CANCELLED_PATH);
  const before = Math.min(...[named, heard].map((record) => record?.position ?? Number.POSITIVE_INFINITY));
  const copied: (readonly [path: string, record: HistoryRecord])[] = [];
  let [looked, size] = [0, 0];
  for (const [bytesOf, path, record] of recordsOf(tables, source)) {
    looked += 1;
    size += bytesOf;
    if (looked > MAX_FORKED_RECORDS || size > MAX_FORKED_BYTES) {
      return refused(
        "FORK_TOO_LARGE",
        `Run ${runId} has more than ${MAX_FORKED_RECORDS} records, or more than ${MAX_FORKED_BYTES} bytes of them. Retry the run itself, or start another one.`,
        { runId },
      );
    }
    if (record.position < before && !(hasInput && path === INPUT_PATH)) copied.push([path, record]);
  }
  if (!hasInput || copied.length === 0 || recordAt(records, source, INPUT_PATH) === undefined)
    return copied.sort(([, a], [, b]) => a.position - b.position);
  return refused(
    "INPUT_INVALID",
    `A schema makes another value of the input of run ${runId}, so that its fork cannot have another input and records. Start a run with the input, or fork from the first step.`,
    { runId },
  );
}

function* recordsOf(
  { runs }: Tables,
  source: RunRecord,
): Generator<readonly [bytes: number, path: string, record: HistoryRecord]> {
  const { records } = runs;
  const archive = source.head.status === "finished" ? records.get(KEY_PREFIX.archive + source.startKey) : undefined;
  if (archive !== undefined) {
    for (const [path, record] of archivedRecords(archive)) yield [record.value.length, path, record];
    return;
  }
  for (const [, content] of records.scan(...rangeOf(KEY_PREFIX.history, source.startIndex))) {
    if (counts(source, content)) yield [content.length, ...recordIn(content)];
  }
}

function start(tables: Tables, source: RunRecord, command: Fork, copied: Copied): void {
  const { runId, source: sourceId, from, hasInput, reason, requestId } = command;
  const { index, clock } = tables;
  const { workflowType, version, seed, behaviourLevel } = source;
  const latestUpdate = source.head.updates?.latest ?? 0;
  const head: RunningHead = {
    status: "running",
    owner: 0,
    seat: 0,
    epoch: tables.lastEpoch,
    attempt: 0,
    reason: "start",
    cancelReason: undefined,
    isTimedOut: false,
    hasChildren: false,
    losses: NO_LOSSES,
    stuck: undefined,
    mismatch: undefined,
    tried: [],
    signalIds: [],
    stepsInProgress: 0,
    pauseReason: undefined,
    // Numbers are in the paths of acceptances: those that are copied keep theirs.
    updates: latestUpdate === 0 ? undefined : { ...NO_UPDATES, latest: latestUpdate },
    // As one that was retried: what it had begun before may not be its own.
    mending: { undone: [], progressFrom: 0, retriedAt: index, requestId },
    queued: undefined,
  };
  const { initialAttributes } = source;
  const facts = {
    runId,
    workflowType,
    version,
    seed,
    inputDigest: hasInput ? NOTHING : source.inputDigest,
    startedAtMs: clock,
    startIndex: index,
    parent: undefined,
    trace: undefined,
    behaviourLevel,
    generation: 1,
    family: index,
    deadlineAtMs: 0,
    initialAttributes,
    startId: "",
    startAtMs: 0,
    isDelay: false,
    schedule: undefined,
    // It stands behind its source for the same limits, and is not what another start is given.
    queue: source.queue && { ...source.queue, dedupeKey: "", debounceMs: 0, debounceMaxMs: 0, runTimeoutMs: 0 },
  };
  const input = hasInput ? command.input : inputOf(tables.runs.records, source);
  tables.runs.start(facts, head, input);
  const run = tables.runs.at(index);
  for (const [path, record] of copied) {
    tables.runs.record(run, path, record);
    if (record.kind !== "attributes") continue;
    const attributes = attributesAfter(runId, run.attributes, record.value);
    if (!("ok" in attributes)) tables.runs.setAttributes(run, attributes, record.position);
  }
  tables.events.push({ type: "run-forked", index, atMs: clock, runId, workflowType, source: sourceId, from, reason });
  tables.release(run, head, "start");
}
