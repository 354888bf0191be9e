/**
 * One execution of one run's body on this node, under one epoch: from its beginning to the proposal of its end.
 *
 * B1. The body's context calls keep CS1-CS4 (calls/call-site.ts).
 * B2. The end is proposed once the body has settled, or `cancelGraceMs` after a cancellation that it ignores. Calls that it left behind begin
 *     nothing more.
 * B3. The body begins in an async context of its own: nothing of the call that started the run, or of whatever woke this node, is visible in it.
 * B4. Whatever the body throws ends this run and nothing else, down to objects that throw when they are looked at.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Cancel, Clock, Logger, NodeId } from "@raftoral/raft-core";
import { CancelledError, NonDeterminismError } from "../../author/errors.ts";
import { decodeValue, encodeValue } from "../../author/json-value.ts";
import { recordedError } from "../../author/recorded-error.ts";
import { inputOf, outputOf, validated } from "../../author/schema.ts";
import { StepPaths } from "../../author/step-path.ts";
import type { WorkflowDefinition } from "../../author/workflow.ts";
import type { Epoch } from "../../model/ownership.ts";
import type { HistoryRecord, RecordPosition } from "../../model/record.ts";
import type { RunOutcome } from "../../model/run-outcome.ts";
import { CallSite } from "../calls/call-site.ts";
import { INPUT_PATH, parsedInput } from "../calls/parsed.ts";
import type { StepSetting } from "../calls/step.ts";
import type { RetryingProposer } from "../engine/retrying-proposer.ts";
import type { RuntimeEvent } from "../runtime-event.ts";
import type { RuntimeInterceptor } from "../runtime-interceptor.ts";
import type { RuntimeProbe } from "../runtime-probe.ts";
import { Activity } from "./activity.ts";
import { Answers } from "./answers.ts";
import { ExecutionContext } from "./execution-context.ts";
import { History } from "./history.ts";
import { Interception } from "./interception.ts";
import { Interruption } from "./interruption.ts";
import { SignalInbox } from "./signal-inbox.ts";
import type { Slots } from "./slots.ts";

/** What all executions of a node share. */
export interface ExecutionShared {
  readonly nodeId: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly proposer: RetryingProposer;
  readonly slots: Slots;
  readonly maxPayloadBytes: number;
  readonly cancelGraceMs: number;
  readonly random: () => number;
  readonly emit: (event: RuntimeEvent) => void;
  readonly probe: RuntimeProbe | undefined;
  readonly interceptor: RuntimeInterceptor | undefined;
}

/** A run as its owner begins with it. */
export interface ExecutionStart {
  readonly runId: string;
  readonly version: number;
  readonly epoch: Epoch;
  readonly attempt: number;
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
  readonly cancelReason: string | undefined;
  readonly signals: readonly string[];
  readonly history: readonly (readonly [path: string, record: HistoryRecord])[];
}

/** Runs a function in an async context without stores: that of the moment in which this module was loaded (B3). */
const inNeutralContext: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot();

/** Paths of unused records that a log line names. */
const LOGGED_PATHS = 10;

export class RunExecution {
  readonly start: ExecutionStart;
  readonly definition: WorkflowDefinition;
  readonly nodeId: NodeId;
  readonly interruption = new Interruption();
  readonly inbox: SignalInbox;
  /** Where the body's context calls meet the record. */
  readonly site: CallSite;
  readonly steps: StepSetting;
  readonly #shared: ExecutionShared;
  readonly #history: History;
  readonly #activity: Activity;
  readonly #interception: Interception | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #stopGrace: Cancel = () => {};

  /** The caller has taken a slot for it, which becomes the execution's. */
  constructor(definition: WorkflowDefinition, start: ExecutionStart, shared: ExecutionShared) {
    const { runId, epoch } = start;
    const { nodeId, clock, proposer, random, probe } = shared;
    const { interruption } = this;
    this.definition = definition;
    this.start = start;
    this.nodeId = nodeId;
    this.inbox = new SignalInbox(start.signals);
    this.#shared = shared;
    const holds = (): boolean => !interruption.isOver;
    const onLost = (): void => this.end("lost to another node");
    const onRefused = (error: unknown): void => this.#refused(error);
    const ownership = { runId, owner: nodeId, epoch, holds, onLost, onRefused };
    this.#history = new History(ownership, proposer, clock, start.history, shared.maxPayloadBytes);
    this.#activity = new Activity(shared.slots, clock, () => this.site.gate());
    this.#interception = this.#intercepted();
    this.site = new CallSite({
      history: this.#history,
      answers: new Answers(clock),
      interruption,
      activity: this.#activity,
      clock,
      maxPayloadBytes: shared.maxPayloadBytes,
      interception: this.#interception,
    });
    this.steps = {
      runId,
      workflowType: definition.type,
      probe,
      intercepted: (path, fn) => this.#interception?.step(path, fn) ?? fn,
      surroundings: {
        clock,
        fencingToken: epoch,
        random,
        onInterrupt: (fn) => interruption.listen(fn),
        attemptFailed: (path, attempt, error, retryInMs) =>
          shared.emit({ type: "step-attempt-failed", runId, path, attempt, error: recordedError(error), retryInMs }),
      },
    };
    if (start.cancelReason !== undefined) this.cancel(start.cancelReason);
  }

  /** Runs the body to its end and proposes that. Never rejects. */
  async execute(): Promise<void> {
    const { runId, epoch, attempt } = this.start;
    const { nodeId } = this;
    const { type: workflowType } = this.definition;
    const replayed = this.#history.size;
    this.#shared.emit({ type: "body-started", runId, workflowType, nodeId, epoch, attempt, replayed });
    const outcome = await inNeutralContext(() => this.#interception?.runBody(() => this.#outcome()) ?? this.#outcome());
    if (this.interruption.isOver) return;
    // A held body's outcome stands like any other: nothing of the run is left to hand over.
    this.interruption.hold();
    if (outcome.status === "completed") this.#reportUnused();
    await this.#proposeEnd(outcome);
    this.end("ended");
  }

  /** Somebody has asked to cancel the run. A body that has not ended after a while is ended. */
  cancel(reason: string): void {
    if (this.interruption.cancelled !== undefined || this.interruption.isOver) return;
    this.interruption.cancel(reason);
    const { clock, cancelGraceMs, logger } = this.#shared;
    this.#stopGrace = clock.after(cancelGraceMs, () => {
      if (this.interruption.isOver) return;
      logger.warn({ runId: this.start.runId }, "A cancelled body does not end; its run is ended without it.");
      void this.#proposeEnd({ status: "cancelled", reason }).then(() => this.end("ended"));
    });
  }

  /** The log has this path of the run, under this ownership. */
  committed(path: string, position: RecordPosition): void {
    this.site.committed(path, position);
  }

  /** This node does not have the run any more, or the run has ended. Idempotent. */
  end(why: string): void {
    if (this.interruption.isOver) return;
    this.interruption.end(why);
    this.#stopGrace();
    this.#activity.end();
    this.#ended.resolve();
  }

  /** Lets what has begun finish and begins nothing more. Resolves when nothing is under way. */
  async hold(): Promise<void> {
    this.interruption.hold();
    await this.#activity.whenIdle();
    await Promise.race([this.#history.quiet(), this.#ended.promise]);
  }

  /** The log refuses what the body goes on from: the run fails for that reason. */
  #refused(error: unknown): void {
    if (this.interruption.isOver) return;
    this.interruption.hold();
    void this.#proposeEnd({ status: "failed", error: recordedError(error) }).then(() => this.end("ended"));
  }

  async #outcome(): Promise<RunOutcome> {
    const { runId, input } = this.start;
    const { definition } = this;
    try {
      const raw = decodeValue(input, `input of run ${runId}`);
      const { output: gives, type } = definition;
      const given = await this.#given(raw);
      const returned = await definition.run(new ExecutionContext(this, new StepPaths()), given);
      const result = gives === undefined ? returned : await validated(gives, returned, outputOf(type));
      const bytes = encodeValue(result, `result of run ${runId}`, this.#shared.maxPayloadBytes);
      return { status: "completed", result: bytes };
    } catch (error) {
      const { cancelled } = this.interruption;
      if (cancelled === undefined) {
        if (error instanceof CancelledError) return { status: "cancelled", reason: error.reason };
        return { status: "failed", error: recordedError(error) };
      }
      if (!(error instanceof CancelledError)) this.#reportFailedCleanUp(error);
      return { status: "cancelled", reason: cancelled.reason };
    }
  }

  /** What the body gets of an input. */
  #given(raw: unknown): Promise<unknown> {
    const { input: schema, type } = this.definition;
    if (schema !== undefined) return parsedInput(this.site, { path: INPUT_PATH, schema, raw, subject: inputOf(type) });
    if (!this.#history.has(INPUT_PATH)) return Promise.resolve(raw);
    throw new NonDeterminismError(INPUT_PATH, "the input without a schema", "a value of a schema");
  }

  #reportUnused(): void {
    const { runId } = this.start;
    const paths = this.#history.unused;
    if (paths.length === 0) return;
    const { emit, logger } = this.#shared;
    emit({ type: "records-unused", runId, paths });
    logger.warn(
      { runId, paths: paths.slice(0, LOGGED_PATHS), count: paths.length },
      "The body has completed without asking for these records of its run.",
    );
  }

  #reportFailedCleanUp(thrown: unknown): void {
    if (this.interruption.isOver) return;
    const { runId } = this.start;
    this.#shared.logger.warn({ runId, error: recordedError(thrown) }, "A cancelled body failed while it cleaned up.");
  }

  async #proposeEnd(outcome: RunOutcome): Promise<void> {
    const { runId } = this.start;
    const { logger } = this.#shared;
    try {
      await this.#history.end(outcome);
    } catch (error) {
      if (this.interruption.isOver) return;
      if (outcome.status === "failed") {
        logger.error({ runId, err: error }, "The end of a run could not be proposed.");
        return;
      }
      await this.#proposeEnd({ status: "failed", error: recordedError(error) });
    }
  }

  #intercepted(): Interception | undefined {
    const { interceptor, nodeId } = this.#shared;
    if (interceptor === undefined) return undefined;
    const { runId, version, epoch, attempt, input } = this.start;
    const replayed = this.#history.size;
    const { type: workflowType } = this.definition;
    const body = { runId, workflowType, version, nodeId, epoch, takeovers: attempt - 1, replayed };
    return new Interception(interceptor, input, body);
  }
}
