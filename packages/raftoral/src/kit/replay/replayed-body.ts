/**
 * One body that runs on a recorded history, and what it did.
 *
 * RB1. No step's function is called, nothing new is recorded, and no timer fires: the body comes to rest where the history ends. An answer that the
 *      engine gives before it is recorded may let the body go on; a recorded call after it is a mismatch.
 * RB2. A body that uses the platform instead of its context is stopped: its course is not the history's alone.
 */
import {
  type InterceptedCall,
  isExternal,
  type RunOutcome,
  TerminalError,
  type WorkflowDefinition,
  WorkflowRuntime,
} from "@raftoral/workflow";
import type { HistoryExport } from "../../api/histories/history-format.ts";
import { inBody, installGuards, outsideOfBody } from "../guard/body-guard.ts";
import { foreignAwaitText } from "../guard/foreign-await.ts";
import { stepOf } from "../steps/step-path-name.ts";
import { settled, VirtualProcess, VirtualTime } from "../time/virtual-time.ts";
import { localEngine, REPLAY_NODE } from "./local-engine.ts";
import { recordedRun } from "./recorded-run.ts";

/** One call of a body. */
export interface ReplayedCall {
  readonly path: string;
  readonly kind: string;
}

/** What one replayed body did. */
export interface ReplayedBody {
  /** Paths that the body asked for, recorded or not. */
  readonly asked: ReadonlySet<string>;
  /** Paths of the records that the body asked for. */
  readonly replayed: ReadonlySet<string>;
  /** The first call that is not recorded, and does more than to wait. */
  readonly fresh: ReplayedCall | undefined;
  /** The first call whose record is of another kind, or the use of the platform or of a foreign promise, that ended the replay. */
  readonly mismatch: { readonly reason: string; readonly call: ReplayedCall | undefined } | undefined;
  /** How the body ended; undefined when it waits. */
  readonly outcome: RunOutcome | undefined;
}

/** Turns without any progress after which a body counts as waiting. */
const IDLE_TURNS = 3;

/** Runs the body of `workflow` on a history of its type and version. `cancelReason`: why it is cancelled; undefined when it is not. */
export async function replayBody(
  history: HistoryExport,
  workflow: WorkflowDefinition,
  cancelReason?: string,
): Promise<ReplayedBody> {
  const { records, startedAtMs, pendingSignals, outcome } = history;
  const kinds = new Map(records.map(({ path, kind }) => [path, kind]));
  // A sleep that the body alone waits for is over when its time is: nothing else records its end.
  const endedAtMs = outcome.status === "running" ? 0 : outcome.endedAtMs;
  const lastMs = records.reduce(
    (latest, { recordedAtMs }) => Math.max(latest, recordedAtMs),
    Math.max(startedAtMs, endedAtMs),
  );
  const time = new VirtualTime({ startMs: lastMs, settleMs: 0, isQuiet: () => true });
  const process = new VirtualProcess(time);
  const { engine, apply } = localEngine();
  // Asked for without a call: the record of a cancellation, and those of patches, which code may have outlived (patched.ts PT3).
  const isAskedFor = (kind: string): boolean =>
    kind === "patched" || (kind === "cancellation" && cancelReason !== undefined);
  const heard = records.filter(({ kind }) => isAskedFor(kind));
  for (const command of recordedRun(history, REPLAY_NODE, cancelReason)) apply(command);
  const code: { -readonly [Key in keyof ReplayedBody]: ReplayedBody[Key] } & {
    readonly asked: Set<string>;
    readonly replayed: Set<string>;
  } = {
    asked: new Set(),
    replayed: new Set(heard.map(({ path }) => path)),
    fresh: undefined,
    mismatch: undefined,
    outcome: undefined,
  };
  let progress = 0;
  let unrecorded: ReplayedCall | undefined;
  const callBegins = ({ path, kind }: InterceptedCall): void => {
    progress += 1;
    code.asked.add(path);
    const recorded = kinds.get(path);
    if (recorded === undefined) {
      // To wait for a signal that was not sent, or for somebody who has not answered, is to stay where the run is.
      const isWait = kind === "signal" ? !pendingSignals.includes(stepOf(path).name) : isExternal(kind);
      if (!isWait) code.fresh ??= { path, kind };
    } else if (unrecorded !== undefined) {
      const reason = `The code makes the call ${unrecorded.kind} ${unrecorded.path}, which is not recorded, before the recorded call ${recorded} ${path}.`;
      code.mismatch ??= { reason, call: unrecorded };
    } else if (answers(kind, recorded)) code.replayed.add(path);
    else {
      const reason = `At ${path} the code asks for a record of kind ${kind}; the history has one of kind ${recorded}.`;
      code.mismatch ??= { reason, call: { path, kind } };
    }
  };
  const used = (reason: string): never => {
    code.mismatch ??= { reason, call: undefined };
    throw new TerminalError(reason, { code: "NON_DETERMINISM" });
  };
  const uninstallGuards = installGuards();
  const runtime = WorkflowRuntime.start({
    engine,
    registry: [workflow],
    clock: process.programClock,
    random: () => 0,
    interceptor: {
      runBody: async (body, run) => {
        code.outcome = await inBody(body, ({ what, where }) => used(`The body uses ${what} ${where}.`), run);
        return new Promise(() => {});
      },
      callBegins,
      callAnswered: ({ path, kind, isReplay }) => {
        progress += 1;
        if (!isReplay) unrecorded ??= { path, kind };
      },
      foreignAwait: (_, call) => used(foreignAwaitText("The body", call)),
      runStep: () => new Promise(() => {}),
      runAside: outsideOfBody,
    },
  });
  let [idle, seen] = [0, progress];
  while (idle < IDLE_TURNS && code.outcome === undefined) {
    while (await time.step(0));
    await settled();
    idle = seen === progress ? idle + 1 : 0;
    seen = progress;
  }
  runtime.stop();
  process.end();
  uninstallGuards();
  return code;
}

/** Whether a record of one kind can answer a call that would record another. */
function answers(asked: string, recorded: string): boolean {
  // A child ends in one of three ways.
  if (asked === "child-completed")
    return recorded === "child-failed" || recorded === "child-cancelled" || recorded === asked;
  return recorded === asked || recorded === `${asked}-failed` || recorded === `${asked}-timeout`;
}
