/**
 * `ctx.start` and `ctx.run`: starts another run as a child, and waits for its end.
 *
 * CH1. The start is an effect that others see, so it waits until everything that the body was answered with is committed, and is recorded afterwards. A start that
 *      is repeated by another owner finds the child: its id and seed follow from the parent's and the path of the call.
 * CH2. A start that is refused is recorded too: the body meets the same ChildFailedError at every replay.
 * CH3. How the child ended is recorded by the cluster at `path/result` (external-record.ts), once, while the parent runs.
 * CH4. When the branch that waits for a child is cancelled, the child is asked to cancel, unless its policy is to be abandoned. The branch does not wait for its end.
 */
import { createHash } from "node:crypto";
import { storedAttributes } from "../../author/attributes.ts";
import type { ChildOptions } from "../../author/child.ts";
import { ChildCancelledError, ChildFailedError, NonDeterminismError } from "../../author/errors/errors.ts";
import { recordedError } from "../../author/errors/recorded-error.ts";
import { runQueue } from "../../author/run-queue.ts";
import type { StepPaths } from "../../author/step-path.ts";
import { durationMs } from "../../author/values/duration.ts";
import { decodeValue, encodeValue } from "../../author/values/json-value.ts";
import { inputOf, type StandardSchemaV1, validated } from "../../author/values/schema.ts";
import type { WorkflowDefinition } from "../../author/workflow.ts";
import { MAX_RUN_ID_LENGTH, type WorkflowStart } from "../../commands/runs/workflow-start.ts";
import { encodeAttributes } from "../../model/attributes.ts";
import type { RecordedError } from "../../model/failure.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { CallOrigin } from "../../model/runs/call-chain.ts";
import { type ParentClosePolicy, resultPath } from "../../model/runs/parent.ts";
import type { RunQueue } from "../../model/runs/run-queue.ts";
import type { TraceContext } from "../../model/trace-context.ts";
import type { RunLockView } from "../../state/locks/lock-view.ts";
import type { ExternalRecords } from "../history/external-records.ts";
import type { AwaitedChild } from "../mending/child-retries.ts";
import type { CallSender } from "./between/call-sender.ts";
import type { CallSite } from "./call-site.ts";
import { externalRecord } from "./external-record.ts";
import type { KeyedRun } from "./steps/idempotency-key.ts";

/** Characters of the hash that stands for an id that would be too long. */
const HASH_LENGTH = 32;
const SEED_BYTES = 16;
const NO_SEED: Uint8Array = new Uint8Array(0);

/** What the children of one body share. */
export interface ChildSetting {
  readonly run: KeyedRun & {
    readonly startIndex: number;
    readonly epoch: number;
    readonly trace: TraceContext | undefined;
  };
  readonly externals: ExternalRecords;
  readonly calls: CallSender;
  /** Whether the run was retried or forked. */
  readonly isRetried: boolean;
  /** What the run holds and waits for of locks, as far as this node has applied. */
  readonly heldLocks: () => Promise<readonly RunLockView[]>;
  /** Asks a child to cancel, without waiting for the answer. */
  readonly cancel: (runId: string, reason: string) => void;
  /** Has a child go on that has ended, without waiting for that; undefined unless the run was retried. */
  readonly retry: ((child: AwaitedChild) => void) | undefined;
}

/** One child of a body. */
export interface ChildCall {
  readonly path: string;
  readonly runId: string;
  readonly workflowType: string;
  /** 0: the newest. */
  readonly version: number;
  readonly input: unknown;
  readonly schema: StandardSchemaV1 | undefined;
  readonly closePolicy: ParentClosePolicy;
  /** 0: without a limit. */
  readonly runTimeoutMs: number;
  /** As commands have them; no bytes for none. */
  readonly attributes: Uint8Array;
  /** What the start follows from; undefined for one of a body that nothing waits for. */
  readonly origin: CallOrigin | undefined;
  /** Undefined for a child that waits in none. */
  readonly queue: RunQueue | undefined;
}

/** What the id of a child follows from. */
type ChildsParent = { readonly runId: string; readonly generation: number };

/** What the record of a child's start says. */
interface StartedChild {
  readonly runId: string;
  readonly workflowType: string;
}

/** The id of a child whose author gave it none. */
export function childId({ runId, generation }: ChildsParent, path: string): string {
  const id = `${runId}/${path}${generation === 1 ? "" : `~${generation}`}`;
  if (id.length <= MAX_RUN_ID_LENGTH) return id;
  return `${id.slice(0, MAX_RUN_ID_LENGTH - HASH_LENGTH - 1).toWellFormed()}~${sha256(id).toString("hex").slice(0, HASH_LENGTH)}`;
}

/** The child that a call with these arguments starts. Takes the call's path. */
export function childCall(
  workflow: unknown,
  input: unknown,
  options: ChildOptions,
  {
    parent,
    paths,
    originOf,
  }: {
    readonly parent: ChildsParent;
    readonly paths: StepPaths;
    readonly originOf: (path: string) => CallOrigin | undefined;
  },
): ChildCall {
  const isNamed = typeof workflow === "object" && workflow !== null && "type" in workflow;
  const {
    type: workflowType,
    version: newest = 0,
    input: schema,
  } = (isNamed ? workflow : { type: String(workflow) }) as Partial<WorkflowDefinition> &
    Pick<WorkflowDefinition, "type">;
  const path = paths.next(options.name ?? workflowType);
  const { id: runId = childId(parent, path), version = newest, parentClosePolicy: closePolicy = "cancel" } = options;
  const runTimeoutMs = options.timeout === undefined ? 0 : Math.ceil(durationMs(options.timeout));
  const attributes = encodeAttributes(storedAttributes(runId, options.attributes ?? {}));
  const [queue, origin] = [runQueue(options), originOf(path)];
  const facts = { path, runId, workflowType, version, input, schema, closePolicy, runTimeoutMs, attributes };
  return { ...facts, queue, origin };
}

/** Starts the child, and gives it as it is recorded (CH1). Rejects with ChildFailedError when that is refused (CH2). */
export function startChild(site: CallSite, setting: ChildSetting, call: ChildCall): Promise<ChildCall> {
  const { path, runId, workflowType } = call;
  return site.once({
    path,
    kind: "child",
    record: () => site.whenSettled(() => site.work(() => started(site, setting, call))),
    answer: (record) => {
      if (record.kind === "child-failed") throw new ChildFailedError(runId, failureIn(record, path));
      const found = decodeValue(record.value, `child ${path}`) as StartedChild;
      // The id may have been another one when it was started.
      if (found.workflowType === workflowType) return { ...call, runId: found.runId };
      throw new NonDeterminismError(path, {
        expected: `a child of type ${workflowType}`,
        recorded: `a child of type ${found.workflowType}`,
      });
    },
  });
}

/** How the child ended (CH3). Rejects with ChildFailedError or ChildCancelledError. */
export async function childResult(site: CallSite, setting: ChildSetting, call: ChildCall): Promise<unknown> {
  const { runId, closePolicy, path } = call;
  const result = resultPath(path);
  const { externals } = setting;
  const cancel = ({ message }: Error): void => {
    // A child that has ended may have left its id to another run.
    if (externals.recorded(result) === undefined && externals.arrival(result) === undefined)
      setting.cancel(runId, message);
  };
  const stopListening = closePolicy === "abandon" ? () => {} : site.branch.onCancelled(cancel);
  const { retry } = setting;
  // Once the body has asked for all that is recorded: the record may have how the child ended.
  const isUnknown = externals.recorded(result) === undefined && externals.arrival(result) === undefined;
  if (retry !== undefined && isUnknown) site.history.whenAllAsked(() => retry(call));
  const record = await externalRecord(site, externals, { path: result, kind: "child-completed" });
  stopListening();
  switch (record.kind) {
    case "child-failed":
      throw new ChildFailedError(runId, failureIn(record, path));
    case "child-cancelled":
      throw new ChildCancelledError(runId, String(decodeValue(record.value, `the end of child ${runId}`)));
    default:
      return decodeValue(record.value, `the result of child ${runId}`);
  }
}

async function started(site: CallSite, { run, externals }: ChildSetting, call: ChildCall): Promise<HistoryRecord> {
  const { path, runId, workflowType } = call;
  const about = `child ${path}`;
  try {
    // Its end is here already: an earlier owner started it, and died before its record was committed.
    if (externals.recorded(resultPath(path)) === undefined)
      await site.history.startChild(await startOf(site, run, call));
    const child: StartedChild = { runId, workflowType };
    return await site.record(path, "child", encodeValue(child, about, Number.POSITIVE_INFINITY));
  } catch (error) {
    const failure = encodeValue(recordedError(error), about, Number.POSITIVE_INFINITY);
    return await site.record(path, "child-failed", failure);
  }
}

async function startOf(site: CallSite, run: ChildSetting["run"], call: ChildCall): Promise<WorkflowStart> {
  const { path, runId, workflowType, version, schema, closePolicy, runTimeoutMs, attributes, origin, queue } = call;
  const input = encodeValue(call.input, `the input of child ${runId}`, site.maxPayloadBytes);
  const raw = decodeValue(input, `the input of child ${runId}`);
  if (schema !== undefined) await validated(schema, raw, inputOf(workflowType));
  const { startIndex, epoch, trace } = run;
  return {
    kind: "WorkflowStart",
    runId,
    workflowType,
    version,
    input,
    // The least loaded node, wherever the parent is.
    owner: 0,
    atMs: site.clock.wallMs(),
    seed: seedOf(run, path),
    ...(runTimeoutMs === 0 ? {} : { runTimeoutMs }),
    ...(attributes.length === 0 ? {} : { attributes }),
    ...(trace === undefined ? {} : { trace }),
    ...(queue === undefined ? {} : { queue }),
    parent: { runId: run.runId, startIndex, path, closePolicy, epoch, ...(origin === undefined ? {} : { origin }) },
  };
}

/** Follows from the parent's seed, and cannot be guessed without it. */
function seedOf({ runId, seed }: KeyedRun, path: string): Uint8Array {
  if (seed.length === 0) return NO_SEED;
  const parts = JSON.stringify(["child", runId, Buffer.from(seed).toString("hex"), path]);
  return Uint8Array.from(sha256(parts).subarray(0, SEED_BYTES));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function failureIn({ value }: HistoryRecord, path: string): RecordedError {
  return decodeValue(value, `the failure of child ${path}`) as RecordedError;
}
