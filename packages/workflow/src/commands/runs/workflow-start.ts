/**
 * WorkflowStart: asks for a run. Idempotent by id.
 *
 * WS1. The owner is the node that asks if it can execute the type, else the least loaded one that can.
 * WS2. The same id again is the same run, with the same type and input; the version must be the same only where the caller pinned it, so that a start
 *      that is repeated after a deployment of a newer version finds its run.
 * WS3. A start with the seed or the start id of the run's own is that one again, repeated because its outcome was not known: it is answered as created.
 * WS4. A child is started by the present owner of a run that has not ended. It goes to the least loaded node, and is known as a child of its parent from then on,
 *      so that it hears of the parent's end whatever the parent has recorded.
 * WS5. What a start does with a run that exists, its policy decides (model/runs/id-policy.ts). A run that makes way ends and is gone in the same command. A child whose parent is to
 *      hear of its end does not make way.
 * WS7. A run with a queue waits there until it is let through, at once if that may be. The owner is the queue's choice then (state/queues/admission.ts). A start whose dedupe key
 *      an open run of the queue has gives that run; while that one is put off, it gets the input, and is put off for longer.
 * WS8. A start whose id a run had that was pruned is decided alike, by what is left of that run (pruned-start.ts).
 * WS6. The run's replays have the behaviours of the engine that all registered nodes have at its start (node-table.ts NT5).
 * WS9. A run with a delay, or with a time that its proposer's clock has not reached, is on no seat until it is begun (begin-due.ts).
 */
import type { NodeId } from "@raftoral/raft-core";
import {
  type Attributes,
  attributesInvalidText,
  changedAttributes,
  decodeChanges,
  NO_ATTRIBUTES,
} from "../../model/attributes.ts";
import { derivedSeed } from "../../model/derived-seed.ts";
import { NOT_MENDED } from "../../model/mending.ts";
import { isSameValue } from "../../model/payload-envelope.ts";
import { ID_POLICIES, type IdPolicy, startDecision } from "../../model/runs/id-policy.ts";
import { NO_LOSSES } from "../../model/runs/owner-losses.ts";
import type { Epoch } from "../../model/runs/ownership.ts";
import {
  childOrigin,
  type KnownParent,
  NO_PARENT,
  type StartingParent,
  startingParentCodec,
} from "../../model/runs/parent.ts";
import { NO_RUN_QUEUE, type RunQueue, runQueueCodec } from "../../model/runs/run-queue.ts";
import type { ScheduledBy } from "../../model/schedule.ts";
import { NO_TRACE, type TraceContext, traceContextCodec, traceContextOf } from "../../model/trace-context.ts";
import { sameBytes } from "../../records/same-bytes.ts";
import { statusOf } from "../../state/lists/run-status.ts";
import { limitAt } from "../../state/runs/run-facts.ts";
import type { RunRecord } from "../../state/runs/run-record.ts";
import { inputOf } from "../../state/runs/run-records.ts";
import type { Tables } from "../../state/tables.ts";
import { bool, bytes, message, named, optional, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { defineCommand } from "../command.ts";
import type { Running } from "../find-run.ts";
import { entryOf, standingIn } from "../queues/queue-entry.ts";
import { type Refused, refused } from "../refusal.ts";
import { startAfterPruning } from "./pruned-start.ts";

/** What a run is started with. `version` 0 asks for the newest version. */
export interface StartFacts {
  readonly runId: string;
  readonly workflowType: string;
  /** 0: the newest version that any node has registered. */
  readonly version: number;
  /** JSON as UTF-8; empty stands for undefined. */
  readonly input: Uint8Array;
  /** The node that asks; it becomes the owner if it can execute the type. */
  readonly owner: NodeId;
  readonly atMs: number;
  /** Random: decides `ctx.random`, `ctx.uuid` and idempotency keys. Empty: derived from the id, the place in the log and what the cluster has drawn. */
  readonly seed: Uint8Array;
  /** Equal for inputs of equal value, however their JSON is written. Absent or empty: the inputs are compared byte by byte. */
  readonly inputDigest?: Uint8Array;
  /** Whether a run that exists must be of this version, too. */
  readonly isPinned?: boolean;
  /** The run that starts this one as its child (WS4). */
  readonly parent?: StartingParent;
  /** How long the run may take, over all of its generations, in ms of the log clock. Absent: without a limit. */
  readonly runTimeoutMs?: number;
  /** What the run is found by (model/attributes.ts `encodeAttributes`). Absent: nothing. A run that exists keeps its own. */
  readonly attributes?: Uint8Array;
  /** What is done with a run that has the id (use-existing). */
  readonly idPolicy?: IdPolicy;
  /** Names the start: the same one again is answered as created. Absent: its seed names it. */
  readonly startId?: string;
  /** How long after `atMs` the run begins, in ms. Absent: with its start. */
  readonly delayMs?: number;
  /** When it begins, in ms since the epoch, if that is later than `atMs`. Not together with `delayMs`. */
  readonly startAtMs?: number;
  /** The place in a trace that the run belongs to. Dropped unless it is well-formed; that of a start that is repeated is not compared. */
  readonly trace?: TraceContext;
  /** The queue in which the run waits for its turn (WS7). Absent: it waits in none. */
  readonly queue?: RunQueue;
}

/** Starts a run. Refused with WORKFLOW_ID_CONFLICT, WORKFLOW_ID_INVALID, WORKFLOW_TYPE_UNKNOWN, ATTRIBUTES_INVALID, QUEUE_NOT_FOUND or NAME_INVALID. */
export interface WorkflowStart extends StartFacts {
  readonly kind: "WorkflowStart";
}

/** The run exists now. `created` is false when another start had made it. `owner` is 0 while no live node can execute it. */
export interface Started {
  readonly ok: true;
  readonly kind: "Started";
  readonly runId: string;
  readonly version: number;
  readonly created: boolean;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Why a run was cancelled that another start has replaced. */
const REPLACED = "another start of its id has replaced it";

/** Longest run id, in UTF-16 units. */
export const MAX_RUN_ID_LENGTH = 512;

const FIELDS = {
  runId: string(1),
  workflowType: string(2),
  version: uint(3),
  input: bytes(4),
  owner: uint(5),
  atMs: uint(16),
  seed: bytes(17),
  inputDigest: optional(bytes(18)),
  isPinned: optional(bool(19)),
  parent: optional(message(20, startingParentCodec, NO_PARENT)),
  runTimeoutMs: optional(uint(21)),
  attributes: optional(bytes(22)),
  idPolicy: optional(named(23, ID_POLICIES, "id policy")),
  startId: optional(string(24)),
  delayMs: optional(uint(80)),
  startAtMs: optional(uint(81)),
  trace: optional(message(40, traceContextCodec, NO_TRACE)),
  queue: optional(message(67, runQueueCodec, NO_RUN_QUEUE)),
};

/** What a run is started with, within another message. */
export const startCodec = messageCodec<StartFacts>(FIELDS, {});

export const workflowStart = defineCommand<WorkflowStart, Started>({
  kind: "WorkflowStart",
  field: 1,
  summary: "Starts a run, or finds the run that has this id.",
  maxRuns: 3,
  fields: FIELDS,
  apply: start,
});

function start(tables: Tables, command: WorkflowStart): Started | Refused {
  const existing = tables.runs.get(command.runId);
  const pruned = existing === undefined ? tables.runs.tombstones.get(command.runId) : undefined;
  const known = pruned === undefined ? "begin" : startAfterPruning(pruned, command);
  if (typeof known === "object") return known;
  if (pruned !== undefined && known !== "begin") {
    const { runId, version } = pruned;
    return { ok: true, kind: "Started", runId, version, created: known === "own", owner: 0, epoch: 0 };
  }
  if (existing === undefined && tables.runs.tombstones.isDeletedStart(command)) {
    const { runId, version } = command;
    return { ok: true, kind: "Started", runId, version, created: true, owner: 0, epoch: 0 };
  }
  const standing = existing === undefined ? undefined : again(tables, existing, command);
  if (standing !== undefined && standing !== "replace") return standing;
  return begin(tables, command, existing === undefined ? undefined : () => makeWay(tables, existing));
}

/** Starts a run under an id that is free, or that becomes free by `retire`, which is called once nothing refuses the start. `schedule`: whose occurrence it is. */
export function begin(
  tables: Tables,
  command: StartFacts,
  retire: () => void = () => {},
  schedule?: ScheduledBy,
): Started | Refused {
  const { runId, workflowType } = command;
  if (runId.length === 0 || runId.length > MAX_RUN_ID_LENGTH) {
    return refused(
      "WORKFLOW_ID_INVALID",
      `A run's id has 1 to ${MAX_RUN_ID_LENGTH} characters; this one has ${runId.length}. Choose another id.`,
    );
  }
  const parent = command.parent === undefined ? undefined : parentOf(tables, command.parent, runId);
  if (parent?.ok === false) return parent;
  const attributes = attributesOf(command);
  if (typeof attributes === "string")
    return refused("ATTRIBUTES_INVALID", attributesInvalidText(runId, attributes), { runId });
  const { nodes } = tables;
  const version = command.version === 0 ? nodes.newestVersion(workflowType) : command.version;
  if (version === undefined || !nodes.knows(workflowType, version)) {
    const known = nodes.knownTypes();
    return refused(
      "WORKFLOW_TYPE_UNKNOWN",
      `No node has registered workflow ${workflowType}${command.version === 0 ? "" : `@${command.version}`}; ` +
        (known.length === 0 ? "none has registered any. " : `registered: ${known.join(", ")}. `) +
        "Check the name, or start a node that has it.",
      { workflowType, version: command.version, known },
    );
  }
  const standing = command.queue === undefined ? undefined : standingIn(tables, command, command.queue);
  if (standing !== undefined) return "ok" in standing ? standing : found(tables, standing, false);
  retire();
  const behaviourLevel = nodes.commonLevel;
  const needs = { type: workflowType, version, behaviourLevel };
  const { startAtMs, isDelay } = beginningOf(command);
  const isDelayed = startAtMs > 0;
  const { node, queue, queued } = entryOf(tables, command, needs, isDelayed);
  const { nodeId: owner, seat } = node ?? { nodeId: 0, seat: 0 };
  const epoch = tables.nextEpoch();
  const { runTimeoutMs = 0 } = command;
  const isTimed = runTimeoutMs > 0 && (queue === undefined || owner !== 0);
  const deadlineAtMs = isTimed ? limitAt(isDelayed ? startAtMs : tables.clock, runTimeoutMs) : 0;
  const seed = command.seed.length > 0 ? command.seed : derivedSeed(`${tables.salt}:${tables.index}:${runId}`);
  const trace = command.trace && traceContextOf(command.trace.traceparent, command.trace.tracestate);
  tables.runs.start(
    {
      runId,
      workflowType,
      version,
      seed,
      inputDigest: command.inputDigest ?? NOTHING,
      startedAtMs: tables.clock,
      startIndex: tables.index,
      parent: parent?.known,
      generation: 1,
      family: tables.index,
      deadlineAtMs,
      initialAttributes: attributes,
      startId: command.startId ?? "",
      startAtMs,
      isDelay,
      schedule,
      trace,
      behaviourLevel,
      queue,
    },
    {
      status: "running",
      owner,
      seat,
      epoch,
      attempt: owner === 0 ? 0 : 1,
      reason: "start",
      cancelReason: undefined,
      isTimedOut: false,
      hasChildren: false,
      losses: NO_LOSSES,
      stuck: isDelayed ? "delayed" : undefined,
      mismatch: undefined,
      tried: [],
      signalIds: [],
      stepsInProgress: 0,
      updates: undefined,
      pauseReason: undefined,
      mending: NOT_MENDED,
      queued,
    },
    command.input,
  );
  if (queued !== undefined && owner !== 0) tables.queues.served(queued.queueId, queue?.key ?? "");
  if (parent !== undefined) {
    tables.children.add(parent.known.family, tables.index);
    const { run, head } = parent;
    if (!head.hasChildren) tables.runs.update(run, { ...head, hasChildren: true });
  }
  tables.events.push({
    type: "run-started",
    index: tables.index,
    atMs: tables.clock,
    runId,
    workflowType: workflowType,
    version,
    input: command.input,
    seed,
    initialAttributes: attributes,
    owner,
    epoch,
    deadlineAtMs,
    trace,
    behaviourLevel,
    calledBy: childOrigin(parent?.known),
    startAtMs,
  });
  return { ok: true, kind: "Started", runId, version, created: true, owner, epoch };
}

/** When the run begins; 0: with its start (WS7). A sum beyond the safe integers is the largest of them. */
function beginningOf({ delayMs = 0, startAtMs = 0, atMs }: StartFacts): Pick<RunRecord, "startAtMs" | "isDelay"> {
  if (delayMs > 0) return { startAtMs: Math.min(atMs + delayMs, Number.MAX_SAFE_INTEGER), isDelay: true };
  return { startAtMs: startAtMs > atMs ? startAtMs : 0, isDelay: false };
}

/** The answer to a start whose id a run has; "replace" when that run is to make way (WS5). */
function again(tables: Tables, run: RunRecord, command: WorkflowStart): Started | Refused | "replace" {
  const differs = differences(tables, run, command);
  const status = statusOf(run.head);
  const isOwn = isOwnStart(run, command);
  const decision = startDecision(command.idPolicy ?? "use-existing", { status, isOwn, isSame: differs.length === 0 });
  const { runId, workflowType, version } = run;
  const details = { runId, workflowType, version, status };
  switch (decision) {
    case "own":
    case "existing":
      return found(tables, run, decision === "own");
    case "replace":
      // A run that starts a child under its own id does not make way for it.
      if (command.parent?.runId === runId)
        return refused("WORKFLOW_ID_CONFLICT", `Run ${runId} cannot be its own child. Choose another id.`, details);
      if (!isAwaited(tables, run)) return "replace";
      return refused(
        "WORKFLOW_ID_CONFLICT",
        `Run ${runId} exists and is ${status}, and its parent is to hear of its end: it cannot make way. Choose another id, or cancel it and wait until its parent has heard.`,
        details,
      );
    case "conflict":
      return refused(
        "WORKFLOW_ID_CONFLICT",
        `Run ${runId} exists and is ${status}${differs.length === 0 ? "" : `, with ${differs.join(" and ")}`}. Choose another id, ${differs.length === 0 ? "or another id policy" : "or repeat the same start"}.`,
        details,
      );
  }
}

/** The answer to a start that finds its run. `isOwn`: it is the one that made the run (WS3). */
export function found(tables: Tables, run: RunRecord, isOwn: boolean): Started {
  const { runId, version, head } = run;
  return { ok: true, kind: "Started", runId, version, created: isOwn, owner: tables.ownerOf(run), epoch: head.epoch };
}

/** How a start differs from the one that made the run (WS2). */
function differences(tables: Tables, run: RunRecord, command: WorkflowStart): readonly string[] {
  const differs: string[] = [];
  if (run.workflowType !== command.workflowType) differs.push(`type ${run.workflowType}, not ${command.workflowType}`);
  if (command.isPinned === true && run.version !== command.version) {
    differs.push(`version ${run.version}, not ${command.version}`);
  }
  if (command.parent !== undefined && !isChildOf(run, command.parent)) differs.push("another parent");
  if (!sameInput(tables, run, command)) differs.push("another input");
  return differs;
}

/** Whether a start is the one that made the run, repeated (WS3). */
export function isOwnStart({ seed, startId }: RunRecord, command: StartFacts): boolean {
  if (command.startId !== undefined && command.startId === startId) return true;
  return command.seed.length > 0 && sameBytes(seed, command.seed);
}

/** Whether the run is a child whose parent is to hear of its end: it is known by its place until then. */
function isAwaited({ children }: Tables, { parent, head, startIndex }: RunRecord): boolean {
  return parent !== undefined && (head.status === "running" || !children.isReported(startIndex));
}

/** The run ends, if it goes on, and is gone (WS5). */
function makeWay(tables: Tables, run: RunRecord): void {
  const { head, runId } = run;
  if (head.status === "running") tables.finish(run, head, { status: "cancelled", reason: REPLACED });
  tables.runs.prune(run);
  tables.events.push({ type: "runs-pruned", index: tables.index, atMs: tables.clock, runIds: [runId] });
}

/** The attributes that a run begins with, or what is wrong with them. */
function attributesOf({ attributes = NOTHING }: StartFacts): Attributes | string {
  const changes = decodeChanges(attributes);
  if (typeof changes === "string") return changes;
  return changes.size === 0 ? NO_ATTRIBUTES : changedAttributes(NO_ATTRIBUTES, changes);
}

/** The parent as the child keeps it. Refused with STALE_OWNER unless the start is of the parent's present owner (WS4). */
function parentOf(
  tables: Tables,
  { runId, startIndex, path, closePolicy, epoch, origin }: StartingParent,
  child: string,
): (Running & { readonly known: KnownParent }) | Refused {
  const run = tables.runs.get(runId);
  const isSame = run !== undefined && run.startIndex === startIndex;
  if (isSame && run.head.status === "running" && run.head.epoch === epoch) {
    const follows = origin === undefined ? {} : { origin };
    const known = { runId, startIndex, path, closePolicy, family: run.family, ...follows };
    return { ok: true, run, head: run.head, known };
  }
  return refused(
    "STALE_OWNER",
    `Run ${child} is not started: its parent ${runId} has ended, or has another owner than at epoch ${epoch}. Leave the run to that owner.`,
    { runId },
  );
}

function isChildOf({ parent }: RunRecord, { runId, startIndex, path }: StartingParent): boolean {
  return parent?.runId === runId && parent.startIndex === startIndex && parent.path === path;
}

/** By value where both starts said what the value is; a repeat may write its JSON otherwise. */
function sameInput(tables: Tables, run: RunRecord, { input, inputDigest = NOTHING }: WorkflowStart): boolean {
  // The input of a later generation is not what the run was started with.
  if (run.generation > 1 && (run.inputDigest.length === 0 || inputDigest.length === 0)) return true;
  if (run.inputDigest.length > 0 && inputDigest.length > 0) return sameBytes(run.inputDigest, inputDigest);
  return isSameValue(inputOf(tables.runs.records, run), input);
}
