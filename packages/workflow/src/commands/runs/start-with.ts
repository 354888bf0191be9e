/**
 * StartWith: a message for a run that begins with it if there is none: a signal or an update, and the start of its run, as a whole or not at all.
 *
 * SW1. A run that goes on gets the message, whatever it was started with. Its type, version and input are not looked at.
 * SW2. The id of the message decides whether this is the same command again: then the run that has it is found, running or ended.
 * SW3. A run that has ended refuses the message, unless the caller asks for another run under its id: then what is kept of the ended run makes room for it, but for
 *      the messages that it remembers: each of them is delivered once over all runs of the id.
 */
import { callingRunCodec, NO_CALLER } from "../../model/runs/calling-run.ts";
import type { UpdateStatus } from "../../model/update.ts";
import { numberKey } from "../../records/state-keys.ts";
import type { RunRecord } from "../../state/runs/run-record.ts";
import type { Tables } from "../../state/tables.ts";
import { bool, bytes, message, optional, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { defineCommand } from "../command.ts";
import { refusedAsEnded, runningRun } from "../find-run.ts";
import { type GivenSignal, knowsSignal, MAX_BUFFERED_SIGNAL_BYTES, takeSignal } from "../messages/signal.ts";
import { type GivenUpdate, knownUpdate, malformedUpdate, staleCaller, takeUpdate } from "../messages/update.ts";
import { type Refused, refused } from "../refusal.ts";
import { begin, found, isOwnStart, type Started, type StartFacts, startCodec } from "./workflow-start.ts";

/**
 * Delivers a signal or an update, one of the two, to a run that it starts if its id is free. Answered with StartedWith. Refused as a start, a signal or an update is, and
 * with WORKFLOW_FINISHED.
 */
export interface StartWith {
  readonly kind: "StartWith";
  readonly start: StartFacts;
  readonly signal?: GivenSignal;
  readonly update?: GivenUpdate;
  /** Whether a run that has ended is followed by another one under its id (SW3). */
  readonly afterEnd: boolean;
  readonly atMs: number;
}

/** The run has the message. */
export interface StartedWith {
  readonly ok: true;
  readonly kind: "StartedWith";
  readonly run: Started;
  /** Of the update; `pending` for a signal. */
  readonly status: UpdateStatus;
  /** What the update was answered with, or what it failed of; empty before. */
  readonly value: Uint8Array;
}

const NOTHING: Uint8Array = new Uint8Array(0);
const NO_START: StartFacts = {
  runId: "",
  workflowType: "",
  version: 0,
  input: NOTHING,
  owner: 0,
  atMs: 0,
  seed: NOTHING,
};

const signalCodec = messageCodec<GivenSignal>({ name: string(1), payload: bytes(2), signalId: string(3) }, {});
const updateCodec = messageCodec<GivenUpdate>(
  {
    updateId: string(1),
    name: string(2),
    input: bytes(3),
    caller: optional(message(4, callingRunCodec, NO_CALLER)),
    inputDigest: optional(bytes(5)),
  },
  {},
);

export const startWith = defineCommand<StartWith, StartedWith>({
  kind: "StartWith",
  field: 39,
  summary: "Delivers a signal or an update to a run, and starts the run for it if there is none.",
  maxRuns: 2,
  fields: {
    start: message(1, startCodec, NO_START),
    signal: optional(message(2, signalCodec, { name: "", payload: NOTHING, signalId: "" })),
    update: optional(message(3, updateCodec, { updateId: "", name: "", input: NOTHING })),
    afterEnd: bool(4),
    atMs: uint(5),
  },
  apply(tables, command) {
    const { start, afterEnd } = command;
    const problem = malformed(command);
    if (problem !== undefined) return problem;
    const stale = command.update === undefined ? undefined : staleCaller(tables, start.runId, command.update);
    if (stale !== undefined) return stale;
    const run = tables.runs.get(start.runId);
    if (run === undefined && !afterEnd && tables.runs.tombstones.get(start.runId) !== undefined)
      return refusedAsEnded(tables, start.runId);
    if (run === undefined && tables.runs.tombstones.isDeletedStart(start)) return refusedAsEnded(tables, start.runId);
    if (run === undefined) return delivered(tables, begin(tables, start), command);
    const known = knownMessage(tables, run, command);
    if (known !== undefined) return known;
    const running = runningRun(tables, run.runId);
    if (running.ok) return delivered(tables, found(tables, run, isOwnStart(run, start)), command);
    if (!afterEnd) return running;
    if (!tables.children.isReported(run.startIndex)) return unreported(run);
    const { signalIds, updates } = run.head;
    const started = begin(tables, start, () => retire(tables, run));
    const next = tables.runs.get(start.runId);
    if (started.ok && next?.head.status === "running") tables.runs.update(next, { ...next.head, signalIds, updates });
    return delivered(tables, started, command);
  },
});

/** What no state makes valid. Afterwards nothing refuses the message for a run that begins with it. */
function malformed({ start, signal, update }: StartWith): Refused | undefined {
  const { runId } = start;
  if (update !== undefined && signal === undefined) return malformedUpdate(runId, update);
  const isSound = signal !== undefined && update === undefined && start.parent === undefined && signal.signalId !== "";
  if (isSound && signal.payload.length <= MAX_BUFFERED_SIGNAL_BYTES) return undefined;
  return refused(
    "COMMAND_INVALID",
    `A message that starts run ${runId} must be one signal with an id and at most ${MAX_BUFFERED_SIGNAL_BYTES} bytes, or one update. Correct the command.`,
  );
}

/** SW2. */
function knownMessage(
  tables: Tables,
  run: RunRecord,
  { start, signal, update }: StartWith,
): StartedWith | Refused | undefined {
  const at = found(tables, run, isOwnStart(run, start));
  if (signal !== undefined && knowsSignal(tables, run.runId, signal.signalId)) return answer(at);
  const known = update === undefined ? undefined : knownUpdate(tables, run.runId, update);
  return known?.ok === true ? answer(at, known) : known;
}

function delivered(tables: Tables, started: Started | Refused, { signal, update }: StartWith): StartedWith | Refused {
  if (!started.ok) return started;
  const running = runningRun(tables, started.runId);
  if (!running.ok) return running;
  if (update === undefined) {
    const taken = signal === undefined ? undefined : takeSignal(tables, running, signal);
    return taken?.ok === false ? taken : answer(started);
  }
  const taken = takeUpdate(tables, running, update);
  return taken.ok ? answer(started, taken) : taken;
}

function answer(
  run: Started,
  { status, value }: { readonly status: UpdateStatus; readonly value: Uint8Array } = {
    status: "pending",
    value: NOTHING,
  },
): StartedWith {
  return { ok: true, kind: "StartedWith", run, status, value };
}

/** What is kept of a run that has ended makes room for another one under its id (SW3). */
function retire(tables: Tables, run: RunRecord): void {
  tables.updates.move(run, numberKey(tables.index));
  tables.runs.prune(run);
  const { index, clock: atMs } = tables;
  tables.events.push({ type: "runs-pruned", index, atMs, runIds: [run.runId] });
}

function unreported({ runId }: RunRecord): Refused {
  return refused(
    "WORKFLOW_FINISHED",
    `Run ${runId} has ended, and the run that started it has not heard of that yet. Ask again in a moment.`,
    { runId },
  );
}
