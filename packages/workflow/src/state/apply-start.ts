/**
 * Applies WorkflowStart: idempotent by id; the owner is the node that asks if it can, else the least loaded one that can. A start
 * with the seed of the run's own is that one again, repeated because its outcome was not known: it is answered as created. A start that is repeated
 * after a deployment of a newer version finds its run, unless the caller pinned the version.
 */
import type { CommandResult } from "../command/command-result.ts";
import type { WorkflowStart } from "../command/workflow-command.ts";
import type { RunRecord } from "./run-record.ts";
import { inputOf } from "./run-records.ts";
import { refused, type Tables } from "./tables.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** Longest run id, in UTF-16 units. */
export const MAX_RUN_ID_LENGTH = 512;

export function applyStart(tables: Tables, command: WorkflowStart): CommandResult {
  const { runId, workflowType } = command;
  if (runId.length === 0 || runId.length > MAX_RUN_ID_LENGTH) {
    return refused(
      "WORKFLOW_ID_INVALID",
      `A run's id has 1 to ${MAX_RUN_ID_LENGTH} characters, this one has ${runId.length}`,
    );
  }
  const existing = tables.runs.get(runId);
  if (existing !== undefined) return again(tables, existing, command);
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
  const owner = nodes.canTake(command.owner, workflowType, version)
    ? command.owner
    : nodes.choose(workflowType, version, tables.loadOf);
  const epoch = tables.nextEpoch();
  const seed = command.seed.length > 0 ? command.seed : derivedSeed(runId, tables.index);
  tables.runs.start(
    {
      runId,
      workflowType,
      version,
      seed,
      inputDigest: command.inputDigest ?? NOTHING,
      startedAtMs: tables.clock,
      startIndex: tables.index,
    },
    {
      status: "running",
      owner,
      epoch,
      attempt: owner === 0 ? 0 : 1,
      reason: "start",
      cancelReason: undefined,
      signalIds: [],
    },
    command.input,
  );
  tables.events.push({
    type: "run-started",
    index: tables.index,
    atMs: tables.clock,
    runId,
    workflowType: workflowType,
    version,
    input: command.input,
    seed,
    owner,
    epoch,
  });
  return { ok: true, kind: "Started", runId, version, created: true, owner, epoch };
}

function again(tables: Tables, run: RunRecord, command: WorkflowStart): CommandResult {
  const differs: string[] = [];
  if (run.workflowType !== command.workflowType) differs.push(`type ${run.workflowType}, not ${command.workflowType}`);
  if (command.isPinned === true && run.version !== command.version) {
    differs.push(`version ${run.version}, not ${command.version}`);
  }
  if (!sameInput(tables, run, command)) differs.push("another input");
  if (differs.length > 0) {
    return refused(
      "WORKFLOW_ID_CONFLICT",
      `Run ${run.runId} exists with ${differs.join(" and ")}. Choose another id, or repeat the same start.`,
      { runId: run.runId, workflowType: run.workflowType, version: run.version },
    );
  }
  const { owner, epoch } = run.head;
  const created = command.seed.length > 0 && sameBytes(run.seed, command.seed);
  return { ok: true, kind: "Started", runId: run.runId, version: run.version, created, owner, epoch };
}

/** By value where both starts said what the value is; a repeat may write its JSON otherwise. */
function sameInput(tables: Tables, run: RunRecord, { input, inputDigest = NOTHING }: WorkflowStart): boolean {
  if (run.inputDigest.length > 0 && inputDigest.length > 0) return sameBytes(run.inputDigest, inputDigest);
  return sameBytes(inputOf(tables.runs.records, run), input);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Sixteen bytes for a start that brought none (the first contract has no seed): FNV-1a over id and place, four times. */
function derivedSeed(runId: string, index: number): Uint8Array {
  const seed = new Uint8Array(16);
  const text = `${index}:${runId}`;
  for (let part = 0; part < 4; part++) {
    let hash = 0x811c9dc5 ^ part;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    for (let byte = 0; byte < 4; byte++) seed[part * 4 + byte] = (hash >>> (byte * 8)) & 0xff;
  }
  return seed;
}
