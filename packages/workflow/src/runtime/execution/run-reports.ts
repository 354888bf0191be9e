/**
 * What a node says of a run that it executes: events for observers, and lines in the log.
 *
 * RR1. Each failed attempt and each failed run is one line, from the node where it happened, and none on a replay.
 * RR2. It is said outside of every body (body-place.ts BP2): what an observer or logger does wrong is not the run's.
 */
import type { Logger, NodeId } from "@raftoral/raft-core";
import type { NonDeterminismError } from "../../author/errors/errors.ts";
import { recordedError } from "../../author/errors/recorded-error.ts";
import type { RecordedError } from "../../model/failure.ts";
import type { Epoch } from "../../model/runs/ownership.ts";
import { outsideBodies } from "../body/body-place.ts";
import type { RuntimeEvent } from "../runtime-event.ts";
import type { BodyOutcome } from "./ends/settled-outcome.ts";

/** Paths that a log line names. */
const LOGGED_PATHS = 10;

/** Of which run is spoken, and where to. */
export interface ReportsSetting {
  readonly runId: string;
  readonly workflowType: string;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
  readonly logger: Logger;
  readonly emit: (event: RuntimeEvent) => void;
}

/** The reports of one run's execution. Each method reports one fact, as an event, as a line of the log, or as both (RR1, RR2). */
export class RunReports {
  readonly #setting: ReportsSetting;

  constructor(setting: ReportsSetting) {
    this.#setting = setting;
  }

  bodyStarted(attempt: number, replayed: number): void {
    const { runId, workflowType, nodeId, epoch } = this.#setting;
    this.#emit({ type: "body-started", runId, workflowType, nodeId, epoch, attempt, replayed });
  }

  /** `retryInMs` is undefined when no attempt follows. */
  attemptFailed(path: string, attempt: number, thrown: unknown, retryInMs: number | undefined): void {
    const { runId, workflowType } = this.#setting;
    const error = recordedError(thrown);
    this.#emit({ type: "step-attempt-failed", runId, workflowType, path, attempt, error, retryInMs });
    const fields = { runId, workflowType, path, attempt, error };
    if (retryInMs === undefined) this.#warn(fields, "A step has failed for good.");
    else this.#warn({ ...fields, retryInMs }, "An attempt of a step has failed; another follows.");
  }

  /** The code of this node does not fit the run's history. */
  codeDiffers({ step: path, expected, recorded }: NonDeterminismError): void {
    const { runId, workflowType } = this.#setting;
    this.#emit({ type: "code-mismatch", runId, workflowType, path, expected, recorded });
    this.#warn(
      { runId, workflowType, path, expected, recorded },
      "The code of a run does not fit its history. The run is held until a node registers code that fits.",
    );
  }

  /** The body goes on after something that is not recorded, while calls of it are open. */
  foreignAwait(call: string): void {
    const { runId, workflowType } = this.#setting;
    this.#emit({ type: "foreign-await", runId, workflowType, call });
    this.#warn(
      { runId, workflowType, call },
      "A body called its context after awaiting something that is not recorded, while other calls were open. A replay may come to another order. Await timers, I/O and events inside of steps.",
    );
  }

  /** What a body that is over leaves behind: records that it did not ask for, and steps under way. */
  leftovers(status: BodyOutcome["status"], unused: readonly string[], steps: { keys(): Iterable<string> }): void {
    if (unused.length > 0) this.recordsUnused(unused);
    // A body that throws has often left the other branches of a Promise.all behind.
    const unfinished = status === "completed" || status === "continued" ? [...steps.keys()] : [];
    if (unfinished.length > 0) this.stepsUnfinished(unfinished);
  }

  recordsUnused(paths: readonly string[]): void {
    const { runId, workflowType } = this.#setting;
    this.#emit({ type: "records-unused", runId, workflowType, paths });
    this.#warn(
      { runId, workflowType, paths: paths.slice(0, LOGGED_PATHS), count: paths.length },
      "A body has ended without asking for these records of its run. Has its code changed?",
    );
  }

  stepsUnfinished(paths: readonly string[]): void {
    const { runId, workflowType } = this.#setting;
    this.#emit({ type: "steps-unfinished", runId, workflowType, paths });
    this.#warn(
      { runId, workflowType, paths: paths.slice(0, LOGGED_PATHS), count: paths.length },
      "A body has returned while these steps were under way; what they give is lost. Await every step.",
    );
  }

  historyLarge(records: number, bytes: number): void {
    const { runId, workflowType } = this.#setting;
    this.#emit({ type: "history-large", runId, workflowType, records, bytes });
    this.#warn({ runId, workflowType, records, bytes }, "The history of a run is large. Let its body continue as new.");
  }

  cleanUpFailed(thrown: unknown): void {
    const { runId, workflowType } = this.#setting;
    this.#warn({ runId, workflowType, error: recordedError(thrown) }, "A cancelled body failed while it cleaned up.");
  }

  doesNotEnd(): void {
    const { runId, workflowType } = this.#setting;
    this.#warn({ runId, workflowType }, "A cancelled body does not end; its run is ended without it.");
  }

  runFailed(error: RecordedError): void {
    const { runId, workflowType } = this.#setting;
    this.#warn({ runId, workflowType, error }, "A run has failed.");
  }

  /** A child for which a retried run waits could not be asked to go on. */
  childNotRetried(child: string, error: unknown): void {
    const { runId, workflowType } = this.#setting;
    this.#warn(
      { runId, workflowType, child, error: recordedError(error) },
      "A child of a retried run could not be asked to go on. Retry the child itself.",
    );
  }

  /** A rejection that nothing handled, and that no longer decides anything. */
  lateRejection(thrown: unknown, inside: string | undefined): void {
    const { runId, workflowType } = this.#setting;
    const fields = { runId, workflowType, ...(inside === undefined ? {} : { path: inside }) };
    this.#warn(
      { ...fields, error: recordedError(thrown) },
      "A promise of a body that is over was rejected, and nothing handled it.",
    );
  }

  #emit(event: RuntimeEvent): void {
    outsideBodies(() => this.#setting.emit(event));
  }

  #warn(fields: object, message: string): void {
    outsideBodies(() => this.#setting.logger.warn(fields, message));
  }
}
