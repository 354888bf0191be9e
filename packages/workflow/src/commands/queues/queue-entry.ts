/** What a start with a queue does: finds the run that has its dedupe key, or says where the new one is. */

import type { NodeId } from "@raftoral/raft-core";
import type { StartingParent } from "../../model/runs/parent.ts";
import type { RunNeeds } from "../../model/runs/run-needs.ts";
import { MAX_QUEUE_MS, MAX_QUEUE_NAME_LENGTH, type QueuePlace, type RunQueue } from "../../model/runs/run-queue.ts";
import type { NodeRecord } from "../../nodes/node-record.ts";
import { closedBy } from "../../state/queues/admission.ts";
import { nodeOf } from "../../state/queues/placing.ts";
import { isFull } from "../../state/queues/queue.ts";
import type { RunRecord } from "../../state/runs/run-record.ts";
import type { Tables } from "../../state/tables.ts";
import { type Refused, refused } from "../refusal.ts";
import { queueNotFound } from "./queue-not-found.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** As much of a start as its queue depends on. */
interface QueuedStart {
  readonly runId: string;
  readonly workflowType: string;
  readonly owner: NodeId;
  readonly input: Uint8Array;
  readonly inputDigest?: Uint8Array;
  readonly parent?: StartingParent;
  readonly queue?: RunQueue;
  readonly runTimeoutMs?: number;
}

/** Where a new run is. */
interface Entry {
  /** Who executes it now; undefined for none. */
  readonly node: NodeRecord | undefined;
  readonly queue: RunQueue | undefined;
  readonly queued: QueuePlace | undefined;
}

/** The answer to a start that begins no run: why it is refused, or the run that has its dedupe key; undefined when it is to begin one. */
export function standingIn(tables: Tables, command: QueuedStart, given: RunQueue): RunRecord | Refused | undefined {
  const { name, key, dedupeKey } = given;
  if (tables.queues.get(name) === undefined) return queueNotFound(name);
  if (key.length > MAX_QUEUE_NAME_LENGTH || dedupeKey.length > MAX_QUEUE_NAME_LENGTH) {
    return refused(
      "NAME_INVALID",
      `A key of a run in queue ${name} has at most ${MAX_QUEUE_NAME_LENGTH} characters. Use a shorter one.`,
      { queue: name },
    );
  }
  const start = isUnique(command, given) ? tables.queues.deduped(name, dedupeKey) : undefined;
  const run = start === undefined ? undefined : tables.runs.at(start);
  if (run === undefined || run.runId === command.runId) return undefined;
  if (run.workflowType !== command.workflowType) {
    return refused(
      "WORKFLOW_ID_CONFLICT",
      `Run ${run.runId} of queue ${name} has this dedupe key, and is of type ${run.workflowType}, not ${command.workflowType}. Use another key.`,
      { runId: run.runId, workflowType: run.workflowType, version: run.version, status: "running" },
    );
  }
  if (given.debounceMs > 0) putOff(tables, run, command, given);
  return run;
}

/** Where a run of this start begins: at a node, or in its queue; one that is to begin later is nowhere yet. */
export function entryOf(tables: Tables, command: QueuedStart, needs: RunNeeds, isDelayed: boolean): Entry {
  const { nodes, queues, clock, index } = tables;
  const queue = queueOf(command);
  if (isDelayed) return { node: undefined, queue, queued: undefined };
  const known = queue === undefined ? undefined : queues.get(queue.name);
  if (queue === undefined || known === undefined) {
    const node = nodes.taker(command.owner, needs) ?? nodes.choose(needs, tables.loadOf);
    return { node, queue: undefined, queued: undefined };
  }
  const place = queues.placeOf({ queue, startIndex: index, needs });
  if (place === undefined) return { node: undefined, queue, queued: undefined };
  if (queue.debounceMs > 0) {
    const latestAtMs = clock + Math.min(queue.debounceMaxMs, MAX_QUEUE_MS);
    const dueAtMs = Math.min(clock + queue.debounceMs, latestAtMs);
    return { node: undefined, queue, queued: { ...place, stage: "delayed", dueAtMs, latestAtMs } };
  }
  const key = queues.keys.of(known, queue.key);
  // Nothing that waits may be let through unless the queue is due: so this run goes before none.
  const isOpen = !known.isDue && closedBy(known) === undefined && (key === undefined || !isFull(known, key));
  const node = isOpen ? nodeOf(tables, known, needs) : undefined;
  return { node, queue, queued: node === undefined ? place : { ...place, stage: "admitted" } };
}

/** The queue as the run keeps it. A child is its parent's by its place: no other start is given it, or changes it. */
function queueOf(command: QueuedStart): RunQueue | undefined {
  const { queue, runTimeoutMs = 0 } = command;
  if (queue === undefined) return undefined;
  const timed = { ...queue, runTimeoutMs };
  return isUnique(command, queue) ? timed : { ...timed, dedupeKey: "", debounceMs: 0, debounceMaxMs: 0 };
}

function isUnique({ parent }: QueuedStart, { dedupeKey }: RunQueue): boolean {
  return parent === undefined && dedupeKey !== "";
}

/** A run that is put off gets another input, and is put off for longer. */
function putOff(tables: Tables, run: RunRecord, { input, inputDigest }: QueuedStart, { debounceMs }: RunQueue): void {
  const { head } = run;
  const place = head.status === "running" ? head.queued : undefined;
  if (head.status !== "running" || place?.stage !== "delayed") return;
  tables.runs.replaceInput(run, input, inputDigest ?? NOTHING);
  const dueAtMs = Math.min(tables.clock + debounceMs, place.latestAtMs);
  tables.runs.update(run, { ...head, queued: { ...place, dueAtMs } });
}
