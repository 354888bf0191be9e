/**
 * Runs a recorded history against code, and says whether the code still fits it.
 *
 * R1. No step's function is called: what is not recorded is where the replay ends.
 * R2. The verdict is `same` when the code makes the recorded calls and comes to the recorded end; `extended` when it makes all recorded calls of a
 *     run that has not ended and then another one; `different` otherwise.
 */
import { isDeepStrictEqual } from "node:util";
import {
  type InterceptedCall,
  type RunOutcome,
  type WorkflowCommand,
  type WorkflowDefinition,
  WorkflowRuntime,
} from "@raftoral/workflow";
import { settled, VirtualProcess, VirtualTime } from "../time/virtual-time.ts";
import { exportPayload, type HistoryExport, importPayload } from "./history-export.ts";
import { localEngine, REPLAY_NODE } from "./local-engine.ts";

/** What a replay found. */
export interface ReplayReport {
  readonly verdict: "same" | "extended" | "different";
  readonly runId: string;
  /** Calls that were answered from the history. */
  readonly replayed: number;
  /** The first call that the history does not have, or the first that it has and the code does not make. */
  readonly call: { readonly path: string; readonly kind: string } | undefined;
  /** The verdict in words. */
  readonly reason: string;
}

/** Turns without any progress after which a body counts as waiting. */
const IDLE_TURNS = 3;

/**
 * Replays `history` against `workflow`, whose type and version must be the history's unless `anyVersion` is set. Throws a TypeError for a history of
 * another workflow.
 */
export async function replay(
  history: HistoryExport,
  workflow: WorkflowDefinition,
  options: { readonly anyVersion?: boolean } = {},
): Promise<ReplayReport> {
  const { runId, records, outcome } = history;
  if (history.workflowType !== workflow.type || (options.anyVersion !== true && history.version !== workflow.version)) {
    throw new TypeError(
      `The history of run ${runId} is of ${history.workflowType}@${history.version}, not of ${workflow.type}@${workflow.version}. Replay it against that workflow, or give anyVersion.`,
    );
  }
  const code = await execute(history, { ...workflow, version: history.version });
  const report = (verdict: ReplayReport["verdict"], reason: string, call?: ReplayReport["call"]): ReplayReport => ({
    verdict,
    runId,
    replayed: code.replayed.size,
    call,
    reason,
  });
  if (code.mismatch !== undefined) return report("different", code.mismatch.reason, code.mismatch.call);
  const missed = records.find(({ path }) => !code.replayed.has(path));
  if (missed !== undefined) {
    const instead =
      code.fresh === undefined ? ending(code.outcome) : `makes the call ${code.fresh.kind} ${code.fresh.path}`;
    return report(
      "different",
      `The code never makes the recorded call ${missed.kind} ${missed.path}; it ${instead}.`,
      pick(missed),
    );
  }
  if (code.fresh !== undefined) {
    const reason = `After all recorded calls the code makes the call ${code.fresh.kind} ${code.fresh.path}.`;
    return report(outcome.status === "running" ? "extended" : "different", reason, code.fresh);
  }
  if (code.outcome === undefined) {
    if (outcome.status === "running") return report("same", "The code waits where the run waits.");
    return report("different", `The run has ended as ${outcome.status}; the code still waits.`);
  }
  if (outcome.status === "running")
    return report("extended", `After all recorded calls the code ${ending(code.outcome)}.`);
  if (sameOutcome(code.outcome, outcome)) return report("same", `The code ${ending(code.outcome)}, as recorded.`);
  return report("different", `The run has ended as ${JSON.stringify(outcome)}; the code ${ending(code.outcome)}.`);
}

interface Execution {
  readonly replayed: Set<string>;
  /** The first call that is not recorded. */
  fresh: ReplayReport["call"];
  mismatch: { readonly reason: string; readonly call: ReplayReport["call"] } | undefined;
  outcome: RunOutcome | undefined;
}

async function execute(history: HistoryExport, workflow: WorkflowDefinition): Promise<Execution> {
  const { records } = history;
  const lastMs = Math.max(history.startedAtMs, ...records.map(({ recordedAtMs }) => recordedAtMs));
  const time = new VirtualTime({ startMs: lastMs, settleMs: 0, isQuiet: () => true });
  const process = new VirtualProcess(time);
  const { engine, apply } = localEngine();
  for (const command of preparation(history)) apply(command);
  const code: Execution = { replayed: new Set(), fresh: undefined, mismatch: undefined, outcome: undefined };
  let progress = 0;
  const begins = ({ path, kind, isReplay }: InterceptedCall): void => {
    progress += 1;
    if (isReplay) code.replayed.add(path);
    else code.fresh ??= { path, kind };
  };
  const runtime = WorkflowRuntime.start({
    engine,
    registry: [workflow],
    clock: process.programClock,
    random: () => 0,
    interceptor: {
      runBody: async (_body, run) => {
        const ended = await run();
        code.outcome = ended;
        return new Promise(() => {});
      },
      callBegins: begins,
      callAnswered: () => {
        progress += 1;
      },
      runStep: () => new Promise(() => {}),
    },
  });
  // Nothing that is not recorded may be recorded now: the replay ends there. Timers stand still, so no wait ends that had not.
  for (
    let idle = 0, seen = progress;
    idle < IDLE_TURNS && code.outcome === undefined;
    idle = seen === progress ? idle + 1 : 0
  ) {
    seen = progress;
    while (await time.step(0));
    await settled();
  }
  runtime.stop();
  process.end();
  if (code.outcome?.status === "failed" && code.outcome.error.code === "NON_DETERMINISM") {
    code.mismatch = { reason: code.outcome.error.message, call: code.fresh };
  }
  return code;
}

/** The commands that bring the history about, on a node of its own that is replaced by the replaying one. */
function* preparation(history: HistoryExport): Generator<WorkflowCommand, void, undefined> {
  const { runId, workflowType, version, seed, startedAtMs, input, records, outcome } = history;
  const types = [{ type: workflowType, version }];
  const owner = REPLAY_NODE;
  yield { kind: "NodeRegister", nodeId: owner, incarnation: "recorded", types, atMs: startedAtMs };
  const bytes = new Uint8Array(Buffer.from(seed, "base64"));
  yield {
    kind: "WorkflowStart",
    runId,
    workflowType,
    version,
    input: importPayload(input),
    owner,
    atMs: startedAtMs,
    seed: bytes,
  };
  for (const record of records) {
    const { path, kind: recordKind, recordedAtMs: atMs } = record;
    yield { kind: "Checkpoint", runId, path, value: importPayload(record), atMs, owner, epoch: 1, recordKind };
  }
  // The body of a cancelled run is answered from its record, then every call throws.
  if (outcome.status === "cancelled") yield { kind: "Cancel", runId, reason: outcome.reason, atMs: startedAtMs };
}

function pick({ path, kind }: { readonly path: string; readonly kind: string }): ReplayReport["call"] {
  return { path, kind };
}

function ending(outcome: RunOutcome | undefined): string {
  switch (outcome?.status) {
    case undefined:
      return "waits";
    case "completed":
      return `completes with ${JSON.stringify(exportPayload(outcome.result).value)}`;
    case "failed":
      return `fails with ${outcome.error.name}: ${outcome.error.message}`;
    case "cancelled":
      return `is cancelled: ${outcome.reason}`;
  }
}

function sameOutcome(found: RunOutcome, recorded: HistoryExport["outcome"]): boolean {
  if (found.status !== recorded.status) return false;
  if (found.status === "completed" && recorded.status === "completed") {
    return isDeepStrictEqual(exportPayload(found.result), exportPayload(importPayload(recorded)));
  }
  if (found.status === "failed" && recorded.status === "failed") {
    return found.error.name === recorded.error.name && found.error.message === recorded.error.message;
  }
  return true;
}
