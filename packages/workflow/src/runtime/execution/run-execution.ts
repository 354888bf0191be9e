/**
 * One execution of one run's body on this node, under one epoch.
 *
 * B1. What the body gets is always what is recorded: a step's value is decoded from its checkpoint on the first run too.
 * B2. Once the run is lost, nothing the body does is recorded and no call of its settles (see journal G2).
 * B3. A cancelled body is answered from its record as far as that goes, then every call throws CancelledError.
 * B4. The end is proposed once the body has settled, or a while after a cancellation that it ignores. Calls that it left
 *     behind begin nothing more.
 * B5. Answers are given in the order of the log (see answers). A sleep that ends while other calls are open records when.
 */
import type { Cancel, Clock, Logger, LogIndex, NodeId } from "@raftoral/raft-core";
import { CancelledError } from "../../author/errors.ts";
import { validated } from "../../author/input-schema.ts";
import { decodeValue, encodeValue } from "../../author/json-value.ts";
import { recordedError } from "../../author/recorded-error.ts";
import { StepPaths } from "../../author/step-path.ts";
import type { WorkflowDefinition } from "../../author/workflow.ts";
import type { StepContext, StepOptions } from "../../author/workflow-context.ts";
import type { HistoryRecord } from "../../command/command-result.ts";
import type { Epoch, RecordKind, RunOutcome } from "../../command/workflow-command.ts";
import { alarmAt } from "../calls/alarm.ts";
import { attemptStep, type StepSurroundings } from "../calls/step-attempts.ts";
import { failureBytes, stepAnswer } from "../calls/step-record.ts";
import { proposalFailure, type RetryingProposer } from "../engine/retrying-proposer.ts";
import type { RuntimeEvent } from "../runtime-event.ts";
import type { RuntimeInterceptor } from "../runtime-interceptor.ts";
import type { RuntimeProbe } from "../runtime-probe.ts";
import { Activity } from "./activity.ts";
import { AFTER_ALL, Answers } from "./answers.ts";
import { ExecutionContext } from "./execution-context.ts";
import { Journal, never } from "./history.ts";
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
  readonly history: readonly (readonly [key: string, checkpoint: HistoryRecord])[];
}

export class RunExecution {
  readonly start: ExecutionStart;
  readonly definition: WorkflowDefinition;
  readonly shared: ExecutionShared;
  readonly interruption = new Interruption();
  readonly inbox: SignalInbox;
  readonly #journal: Journal;
  readonly #surroundings: StepSurroundings;
  readonly #activity: Activity;
  readonly #answers: Answers;
  readonly #interception: Interception | undefined;
  /** Calls of the body that are not answered. */
  #openCalls = 0;
  #stopGrace: Cancel = () => {};

  /** The caller has taken a slot for it, which becomes the execution's. */
  constructor(definition: WorkflowDefinition, start: ExecutionStart, shared: ExecutionShared) {
    this.definition = definition;
    this.start = start;
    this.shared = shared;
    this.inbox = new SignalInbox(start.signals);
    const { runId, epoch } = start;
    const { nodeId, clock, proposer } = shared;
    const holds = (): boolean => !this.interruption.isOver;
    const onLost = (): void => this.end("lost to another node");
    const ownership = { runId, owner: nodeId, epoch, holds, onLost };
    this.#journal = new Journal(ownership, proposer, clock, start.history);
    const onInterrupt = (fn: (reason: Error) => void): (() => void) => this.interruption.listen(fn);
    const attemptFailed: StepSurroundings["attemptFailed"] = (key, attempt, error, retryInMs) =>
      shared.emit({ type: "step-attempt-failed", runId, path: key, attempt, error: recordedError(error), retryInMs });
    this.#activity = new Activity(shared.slots, clock, () => this.#gate());
    this.#answers = new Answers(clock);
    this.#interception =
      shared.interceptor &&
      new Interception(shared.interceptor, start.input, {
        runId,
        workflowType: definition.type,
        version: start.version,
        nodeId,
        epoch,
        takeovers: start.attempt - 1,
        replayed: this.#journal.size,
      });
    this.#surroundings = { clock, fencingToken: epoch, random: shared.random, onInterrupt, attemptFailed };
    if (start.cancelReason !== undefined) this.cancel(start.cancelReason);
  }

  /** Runs the body to its end and proposes that. Never rejects. */
  async execute(): Promise<void> {
    const { runId, epoch, attempt } = this.start;
    const { nodeId, emit } = this.shared;
    const { type: workflowType } = this.definition;
    emit({ type: "body-started", runId, workflowType, nodeId, epoch, attempt, replayed: this.#journal.size });
    const outcome = await (this.#interception?.runBody(() => this.#outcome()) ?? this.#outcome());
    if (this.interruption.isOver) return;
    this.interruption.hold();
    // A held body's outcome stands like any other: nothing of the run is left to hand over.
    const unused = outcome.status === "completed" ? this.#journal.unused : [];
    if (unused.length > 0) {
      emit({ type: "records-unused", runId, paths: unused });
      this.shared.logger.warn(
        { runId, keys: unused.slice(0, 10), count: unused.length },
        "recorded steps were never asked for",
      );
    }
    await this.#proposeEnd(outcome);
    this.end("ended");
  }

  /** Somebody has asked to cancel the run. A body that has not ended after a while is ended. */
  cancel(reason: string): void {
    if (this.interruption.cancelled !== undefined || this.interruption.isOver) return;
    this.interruption.cancel(reason);
    this.#stopGrace = this.shared.clock.after(this.shared.cancelGraceMs, () => {
      if (this.interruption.isOver) return;
      this.shared.logger.warn(
        { runId: this.start.runId },
        "a cancelled body does not end; its run is ended without it",
      );
      void this.#proposeEnd({ status: "cancelled", reason }).then(() => this.end("ended"));
    });
  }

  /** The log has this path of the run, under this ownership. */
  committed(key: string, index: LogIndex): void {
    // Alone there is nothing that could be answered before it.
    if (this.#openCalls > 1) this.#answers.committed(key, index);
  }

  /** This node has the run no more, or the run has ended. Idempotent. */
  end(why: string): void {
    if (this.interruption.isOver) return;
    this.interruption.end(why);
    this.#stopGrace();
    this.#activity.end();
  }

  /** Lets what has begun finish and begins nothing more. Resolves when nothing is under way. */
  hold(): Promise<void> {
    this.interruption.hold();
    return this.#activity.whenIdle();
  }

  // What the context is made of.

  step(key: string, fn: (step: StepContext) => unknown, options: StepOptions | undefined): Promise<unknown> {
    const answer = (checkpoint: HistoryRecord): unknown => stepAnswer(key, checkpoint);
    return this.#once(key, "step", () => this.#activity.work(() => this.#runStep(key, fn, options)), answer);
  }

  async #runStep(
    key: string,
    fn: (step: StepContext) => unknown,
    options: StepOptions | undefined,
  ): Promise<HistoryRecord> {
    const { runId } = this.start;
    const { maxPayloadBytes, clock, probe } = this.shared;
    const startedMs = probe === undefined ? 0 : clock.monotonicMs();
    const outcome = await attemptStep(
      key,
      `${runId}/${key}`,
      this.#interception?.step(key, fn) ?? fn,
      (value) => encodeValue(value, `step ${key}`, maxPayloadBytes),
      options,
      this.#surroundings,
    );
    probe?.stepFinished(this.definition.type, outcome.ok, outcome.attempts, clock.monotonicMs() - startedMs);
    if (outcome.ok) {
      try {
        return await this.#journal.record(key, "step", outcome.value);
      } catch (error) {
        // The log takes smaller values than this runtime: the step has failed as if its value had been refused here.
        if ((error as { code?: unknown }).code !== "PAYLOAD_TOO_LARGE") throw error;
        return await this.#journal.record(key, "step-failed", failureBytes(error, 1));
      }
    }
    return await this.#journal.record(key, "step-failed", failureBytes(outcome.error, outcome.attempts));
  }

  /** Records a value once; `make` is called only when none is recorded. */
  value(key: string, make: () => unknown): Promise<unknown> {
    const record = async (): Promise<HistoryRecord> => {
      const bytes = encodeValue(await make(), `variable ${key}`, this.shared.maxPayloadBytes);
      return this.#journal.record(key, "variable", bytes);
    };
    return this.#once(
      key,
      "variable",
      () => this.#activity.work(record),
      (found) => decodeValue(found.value, key),
    );
  }

  now(key: string): Promise<number> {
    const record = (): Promise<HistoryRecord> => this.#journal.record(key, "now", new Uint8Array(0));
    return this.#once(
      key,
      "now",
      () => this.#activity.work(record),
      (found) => found.recordedAtMs,
    );
  }

  async sleep(key: string, delayMs: number): Promise<void> {
    const wakeAt = await this.#moment(key, "sleep", delayMs);
    this.#openCalls += 1;
    try {
      const woke = `${key}/woke`;
      if (!this.#journal.has(woke)) {
        if (wakeAt > this.#journal.time.nowMs()) await this.#activity.park(() => this.#alarm(wakeAt));
        await this.#answers.fresh(woke, AFTER_ALL, this.#openCalls === 1);
      }
      // Alone, it ends after all that is recorded; beside others, the log decides what was first.
      if (this.#openCalls > 1 || this.#journal.has(woke)) await this.now(woke);
    } finally {
      this.#openCalls -= 1;
    }
  }

  #alarm(atMs: number): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const cancel = alarmAt(this.shared.clock, this.#journal.time, atMs, () => {
        stop();
        resolve();
      });
      const stop = this.interruption.listen((reason) => {
        cancel();
        if (!this.interruption.isOver) reject(reason);
      });
    });
  }

  async waitFor(key: string, name: string, timeoutMs: number | undefined): Promise<unknown> {
    return await this.#once(
      key,
      "signal",
      async () => {
        const deadline =
          timeoutMs === undefined ? undefined : await this.#moment(`${key}/deadline`, "wait-deadline", timeoutMs);
        return await this.#received(key, name, deadline);
      },
      (found) => decodeValue(found.value, `signal ${name}`),
      () => (timeoutMs === undefined ? undefined : this.#journal.find(`${key}/deadline`, "wait-deadline")),
    );
  }

  async #received(key: string, name: string, deadline: number | undefined): Promise<HistoryRecord> {
    for (;;) {
      const timedOut = deadline !== undefined && deadline <= this.#journal.time.nowMs();
      if (this.inbox.claim(name) || timedOut) {
        const checkpoint = await this.#activity.work(() => this.#journal.receive(key, name, timedOut));
        if (checkpoint !== undefined) return checkpoint;
      }
      if (!this.inbox.has(name)) await this.#activity.park(() => this.#signalOrDeadline(name, deadline));
      await this.#gate();
    }
  }

  #signalOrDeadline(name: string, deadline: number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      let stopAlarm = (): void => {};
      const stopInbox = this.inbox.listen(name, () => done());
      const stopInterruption = this.interruption.listen((reason) => {
        stopInbox();
        stopAlarm();
        if (!this.interruption.isOver) reject(reason);
      });
      const done = (): void => {
        stopInbox();
        stopAlarm();
        stopInterruption();
        resolve();
      };
      if (deadline !== undefined) stopAlarm = alarmAt(this.shared.clock, this.#journal.time, deadline, done);
    });
  }

  /** A moment of the run's time, `delayMs` from the first time this was asked. */
  #moment(key: string, kind: RecordKind, delayMs: number): Promise<number> {
    const record = (): Promise<HistoryRecord> => {
      const at = this.#journal.time.nowMs() + delayMs;
      return this.#journal.record(key, kind, encodeValue(at, key, this.shared.maxPayloadBytes));
    };
    return this.#once(
      key,
      kind,
      () => this.#activity.work(record),
      (found) => Number(decodeValue(found.value, key)),
    );
  }

  /** From the record, or by recording now (B1, B3). */
  async #once<T>(
    key: string,
    kind: RecordKind,
    record: () => Promise<HistoryRecord>,
    answer: (checkpoint: HistoryRecord) => T,
    onReplay?: () => void,
  ): Promise<T> {
    if (this.interruption.isOver) return never();
    this.#openCalls += 1;
    try {
      const found = this.#journal.find(key, kind);
      this.#interception?.callBegins(key, kind, found !== undefined);
      if (found !== undefined) {
        onReplay?.();
        await this.#answers.recorded(found.index);
        if (this.interruption.isOver) return never();
        this.#interception?.callAnswered(key, kind, true);
        return answer(found);
      }
      const gate = this.#gate();
      if (gate !== undefined) await gate;
      this.#answers.opened(key);
      const recorded = await record();
      const turn = this.#answers.fresh(key, recorded.index, this.#openCalls === 1);
      if (turn !== undefined) await turn;
      if (this.interruption.isOver) return never();
      this.#interception?.callAnswered(key, kind, false);
      return answer(recorded);
    } finally {
      this.#openCalls -= 1;
      this.#answers.closed(key);
    }
  }

  /**
   * Rejects when cancelled; a promise that never settles when nothing new may begin; undefined when it may. Rejects in
   * another turn only, so that a body that catches everything and tries again does not keep the event loop to itself.
   */
  #gate(): Promise<never> | undefined {
    if (this.interruption.isClosed) return never();
    const { cancelled } = this.interruption;
    if (cancelled === undefined) return undefined;
    return new Promise((_, reject) => {
      this.shared.clock.soon(() => {
        if (!this.interruption.isOver) reject(cancelled);
      });
    });
  }

  async #outcome(): Promise<RunOutcome> {
    const { runId, input } = this.start;
    const { definition } = this;
    try {
      const raw = decodeValue(input, `input of run ${runId}`);
      const checked = definition.input === undefined ? raw : await validated(definition.input, raw, definition.type);
      const result = await definition.run(new ExecutionContext(this, new StepPaths()), checked);
      return {
        status: "completed",
        result: encodeValue(result, `result of run ${runId}`, this.shared.maxPayloadBytes),
      };
    } catch (error) {
      const { cancelled } = this.interruption;
      if (cancelled !== undefined) return { status: "cancelled", reason: cancelled.reason };
      if (error instanceof CancelledError) return { status: "cancelled", reason: error.reason };
      return { status: "failed", error: recordedError(error) };
    }
  }

  async #proposeEnd(outcome: RunOutcome): Promise<void> {
    const { runId, epoch } = this.start;
    const { nodeId: owner, clock, proposer, logger } = this.shared;
    const goOn = (): boolean => !this.interruption.isOver;
    try {
      await proposer.propose({ kind: "WorkflowEnd", runId, outcome, atMs: clock.wallMs(), owner, epoch }, { goOn });
    } catch (error) {
      if (!goOn() || proposalFailure(error) === "stopped") return;
      if (outcome.status === "failed") {
        logger.error({ runId, err: error }, "the end of a run could not be proposed");
        return;
      }
      await this.#proposeEnd({ status: "failed", error: recordedError(error) });
    }
  }
}
