/** Judges how the run of a program ended: P2, P3, P5, P9, P11, P12, P15, P17 and P18 of finding.ts. */
import { isDeepStrictEqual } from "node:util";
import type { StreamChunk } from "raftoral";
import { type HistoryExport, replay } from "raftoral/testing";
import type { BodyChunk } from "./body/body-site.ts";
import { SILENT_PROBE } from "./body/program-probe.ts";
import { type Generation, type ProgramInput, programWorkflow } from "./body/program-workflow.ts";
import type { ProgramFinding } from "./finding.ts";
import { isExact } from "./program/exactness.ts";
import { type Action, every, type Program } from "./program/program.ts";
import type { ObservedBody } from "./run-observer.ts";

/** What a run that has ended is judged by. */
export interface EndedProgram {
  readonly program: Program;
  readonly history: HistoryExport;
  /** The latest body of its last generation, if one began. */
  readonly body: ObservedBody | undefined;
  /** Whether anything cancelled the run from outside. */
  readonly wasCancelled: boolean;
  /** Whether signals may have overtaken each other on their way. */
  readonly mayReorderSignals: boolean;
}

/** Errors that a program's own code leads to. */
const OWN_ERRORS: ReadonlySet<string> = new Set([
  "Error",
  "StepFailedError",
  "VariableFailedError",
  "ChildFailedError",
  "TokenExpiredError",
  "AggregateError",
  "ScopeTimeoutError",
  "CompensationFailedError",
]);
/** Records whose value, or whose being there, is decided by time, or by the seed of the run. */
const TIMED_KINDS: ReadonlySet<string> = new Set(["sleep", "wait-deadline", "now", "token"]);

/** Every invariant that the end of a run breaks. `undisturbed`: the history of the run that nothing disturbed. */
export async function judgeEnd(
  ended: EndedProgram,
  undisturbed: HistoryExport | undefined,
): Promise<readonly ProgramFinding[]> {
  const { history } = ended;
  const findings: ProgramFinding[] = [];
  const find = (invariant: ProgramFinding["invariant"], message: string): unknown =>
    findings.push({ invariant, message });
  if (undisturbed !== undefined && isComparable(ended, undisturbed)) {
    const [seen, wanted] = [essence(history), essence(undisturbed)];
    if (!isDeepStrictEqual(seen, wanted)) {
      find("as-undisturbed", `the run ends as ${JSON.stringify(seen)}, and undisturbed as ${JSON.stringify(wanted)}`);
    }
  }
  const paths = history.records.map(({ path }) => path);
  if (new Set(paths).size !== paths.length) find("recorded-once", `a path is recorded twice: ${paths.join(", ")}`);
  const signals = signalsOutOfOrder(ended);
  if (signals !== undefined) find("signal-once", signals);
  const foreign = foreignEnd(ended);
  if (foreign !== undefined) find("own-failure", foreign);
  const overtaken = overtakenSteps(ended);
  if (overtaken.length > 0)
    find("cancelled-last", `the body was cancelled before the answers of ${overtaken.join(", ")}`);
  const undone = undoneOtherwise(ended);
  if (undone !== undefined) find("undone-in-order", undone);
  const passed = generationsPassed(ended);
  if (passed !== undefined) find("generations", passed);
  const { verdict, reason } = await replay(
    history,
    programWorkflow(SILENT_PROBE, { isOld: ended.body?.isOld ?? false }),
  );
  if (verdict !== "same") find("replays-same", `the history replays as ${verdict}: ${reason}`);
  return findings;
}

/** P15. `written`: what the latest body wrote, by place. */
export function judgeChunks(
  chunks: readonly StreamChunk[],
  written: ReadonlyMap<string, number>,
): readonly ProgramFinding[] {
  const counted = new Map<string, number>();
  for (const { value } of chunks) {
    const { place, n } = value as BodyChunk;
    const expected = counted.get(place) ?? 0;
    if (n !== expected) {
      const message = `chunk ${n} of ${place || "the run"} stands where ${expected} is due`;
      return [{ invariant: "chunks-once", message }];
    }
    counted.set(place, n + 1);
  }
  for (const [place, count] of written) {
    const found = counted.get(place) ?? 0;
    // An earlier body may have got further with a branch that had lost its race.
    if (found >= count) continue;
    const message = `${place || "the run"} has ${found} chunks, and its last body wrote ${count}`;
    return [{ invariant: "chunks-once", message }];
  }
  return [];
}

/** Whether a run ends as it does undisturbed. A start that another node takes over gives the run another seed. */
function isComparable({ program, history, wasCancelled }: EndedProgram, undisturbed: HistoryExport): boolean {
  if (!isExact(program) || wasCancelled) return false;
  return history.seed === undisturbed.seed || every(program.body, ({ do: what }) => what !== "random");
}

/** What does not depend on time: how the run ended, and its records by path. */
function essence({ records, outcome }: HistoryExport): object {
  const untimed = records.filter(({ kind }) => !TIMED_KINDS.has(kind));
  const byPath = untimed.map(({ path, kind, value }) => [path, kind, withoutStack(value)] as const);
  const { status } = outcome;
  return {
    status,
    result: status === "completed" ? outcome.value : undefined,
    error: status === "failed" ? withoutStack(outcome.error) : undefined,
    records: byPath.sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

/** Stacks name lines of the runtime, which differ from replay to replay. */
function withoutStack(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("message" in value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => key !== "stack" && key !== "cause" && key !== "errors"),
  );
}

/** P12: steps that are recorded before the cancellation was heard, and that the body had not heard of then. */
function overtakenSteps({ history: { records }, body }: EndedProgram): readonly string[] {
  const settled = body?.settledAtCancel;
  if (settled === undefined) return [];
  // What follows the cancellation in the log, a shield has recorded.
  const heard = records.findIndex(({ kind }) => kind === "cancellation");
  return (
    records
      .slice(0, heard === -1 ? records.length : heard)
      .filter(({ path, kind }) => (kind === "step" || kind === "step-failed") && !settled.has(path))
      // Only the saga hears of these.
      .filter(({ path }) => !path.split("/").includes("undo"))
      // Of these, their handlers.
      .filter(({ path }) => !path.includes("#u"))
      .map(({ path }) => path)
  );
}

/** P17. */
function undoneOtherwise({ history: { records }, body }: EndedProgram): string | undefined {
  for (const [prefix, { booked, end }] of body?.sagas ?? []) {
    const within = `${prefix}undo/`;
    const undone = records
      .filter(({ path, kind }) => path.startsWith(within) && (kind === "step" || kind === "step-failed"))
      .map(({ path }) => path.slice(within.length).replace(/#0$/, ""));
    const due = end === "kept" ? [] : booked.toReversed();
    // A saga that its body left behind has got somewhere.
    const wanted = end === undefined ? due.slice(0, undone.length) : due;
    if (isDeepStrictEqual(undone, wanted)) continue;
    return `saga ${prefix} has booked ${booked.join(", ") || "nothing"}, is ${end ?? "under way"}, and has undone ${undone.join(", ") || "nothing"}`;
  }
  return undefined;
}

/** P18. */
function generationsPassed({ program: { generations }, history: { outcome } }: EndedProgram): string | undefined {
  if (outcome.status !== "completed") return undefined;
  const passed = Array.isArray(outcome.value) ? outcome.value.length : 0;
  return passed === generations ? undefined : `the run completed after ${passed} of ${generations} generations`;
}

function signalsOutOfOrder({ program, history, mayReorderSignals }: EndedProgram): string | undefined {
  const sent = new Map(program.sendings.map(({ signal, payload }) => [payload, signal]));
  const next = new Map(
    [...Map.groupBy(program.sendings, ({ signal }) => signal)].map(([name, all]) => [name, [...all]]),
  );
  const earlier = earlierOf(history);
  // A signal for a wait that a generation had left behind is received, and the generation may end without having been told.
  const maySkip = earlier.length > 0 && !every(program.body, waitsForAll);
  const received = [
    ...earlier.flatMap((one, at) => one.received.map((payload) => [`generation ${at + 1}`, payload] as const)),
    ...history.records.filter(({ kind }) => kind === "signal").map(({ path, value }) => [path, Number(value)] as const),
  ];
  for (const [path, payload] of received) {
    const signal = sent.get(payload);
    if (signal === undefined) return `${path} received ${payload}, which was not sent, or was received before`;
    sent.delete(payload);
    const queue = next.get(signal) ?? [];
    let due = queue.shift();
    while (maySkip && due !== undefined && due.payload < payload) due = queue.shift();
    if (due?.payload !== payload && !mayReorderSignals) {
      return `${path} received ${payload} of ${signal} before ${due?.payload}`;
    }
  }
  return undefined;
}

/** The generations before the last one of a run. */
export function earlierOf({ input }: HistoryExport): readonly Generation[] {
  return ((input.value ?? {}) as Partial<ProgramInput>).earlier ?? [];
}

/** Whether the body is answered by every wait in an action before the action has settled. */
function waitsForAll({ do: what }: Action): boolean {
  return !["all", "race", "any", "map", "contest", "abort"].includes(what);
}

function foreignEnd({ history, wasCancelled }: EndedProgram): string | undefined {
  const { outcome } = history;
  if (outcome.status === "failed" && !OWN_ERRORS.has(outcome.error.name)) {
    return `the run fails with ${outcome.error.name}: ${outcome.error.message}`;
  }
  const isOwn = outcome.status === "cancelled" && outcome.reason === "from within";
  if (outcome.status === "cancelled" && !wasCancelled && !isOwn)
    return `the run is cancelled without a request: ${outcome.reason}`;
  return undefined;
}
