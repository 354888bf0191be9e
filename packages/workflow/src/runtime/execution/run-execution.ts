/**
 * One execution of one run's body on this node, under one epoch: from its beginning to the proposal of its end.
 *
 * B1. The body's context calls keep CS1-CS5 (calls/call-site.ts).
 * B2. The end is proposed once the body has settled, or `cancelGraceMs` after a cancellation that it ignores, shields not counted (cancel-grace.ts). Calls
 *     that it left behind begin nothing more.
 * B3. The body runs in an async context of its own (body-place.ts BP1).
 * B4. Whatever the body throws ends this run and nothing else, down to objects that throw when they are looked at.
 * B5. A rejection in the body's code that nothing handles fails the run, whatever the body does meanwhile. In a cancelled run it is only told.
 * B6. A body hears of a cancellation as body-cancellation.ts says.
 * B7. A body that does not fit its history gets no answer and no error, and its outcome does not stand: the run is held, and goes on where code fits.
 * B8. A body may leave memory while a replay brings it to the same place again (body-rest.ts). No call of a body that has left settles, and nothing is proposed for
 *     it. It runs again under the same epoch and as the same attempt, and nothing of that is told as new.
 * B9. A body that has returned, or asks for its next generation, ends once its handlers have ended. One that has thrown ends without them.
 */
import type { NodeId } from "@raftoral/raft-core";
import { CancelledError, NonDeterminismError } from "../../author/errors/errors.ts";
import { recordedError } from "../../author/errors/recorded-error.ts";
import { StepPaths } from "../../author/step-path.ts";
import type { WorkflowDefinition } from "../../author/workflow.ts";
import type { RecordedError } from "../../model/failure.ts";
import { callOf, isExternal, type RecordKind, type RecordPosition } from "../../model/record.ts";
import { Activity } from "../body/activity.ts";
import { Answers } from "../body/answers.ts";
import { BodyAlarms } from "../body/body-alarms.ts";
import { BodyCalls } from "../body/body-calls.ts";
import { inBody, PlacedBody } from "../body/body-place.ts";
import { ContextGuard, shownCall } from "../body/context-guard.ts";
import type { Interception } from "../body/interception.ts";
import { bodyEvicted, executionOver, Interruption } from "../body/interruption.ts";
import { ReplayGate } from "../body/replay-gate.ts";
import { SignalInbox } from "../body/signal-inbox.ts";
import { unhandledRejection, watchStrayRejections } from "../body/stray-rejections.ts";
import { CallSite } from "../calls/call-site.ts";
import type { ChildSetting } from "../calls/child.ts";
import type { StepSetting } from "../calls/steps/step-attempts.ts";
import type { StepUnderWay } from "../calls/steps/steps-under-way.ts";
import { Latch } from "../collections/latch.ts";
import { BodyHandlers } from "../handlers/body-handlers.ts";
import { History } from "../history/history.ts";
import { HistorySize } from "../history/history-size.ts";
import { BodyQueries } from "../queries/body-queries.ts";
import type { EvictedBody } from "../residency/evicted-body.ts";
import type { StreamSetting } from "../streams/stream-handle.ts";
import { bodyChildren } from "./body-children.ts";
import { BodyRest } from "./body-rest.ts";
import { BodyCancellation } from "./ends/body-cancellation.ts";
import { BodyEnd } from "./ends/body-end.ts";
import { bodyOutcome } from "./ends/body-outcome.ts";
import { type BodyOutcome, settledOutcome } from "./ends/settled-outcome.ts";
import { ExecutionContext } from "./execution-context.ts";
import { type ExecutionShared, type ExecutionStart, interceptionOf } from "./execution-shared.ts";
import { readableRecords } from "./readable-records.ts";
import { BodyLines, type RunLogSetting } from "./run-log.ts";
import { RunReports } from "./run-reports.ts";

/** One execution of a run's body. The owner calls `execute` once, then tells it of cancellations and of the loss of the run (B1 to B5). */
export class RunExecution {
  readonly start: ExecutionStart;
  readonly definition: WorkflowDefinition;
  readonly nodeId: NodeId;
  readonly interruption = new Interruption();
  readonly inbox: SignalInbox;
  /** Where the context calls of the body as a whole meet the record. */
  readonly site: CallSite;
  readonly steps: StepSetting;
  readonly streams: StreamSetting;
  readonly children: ChildSetting;
  /** How large the run's history is. */
  readonly size: HistorySize;
  readonly log: RunLogSetting;
  readonly queries: BodyQueries;
  /** What the body waits for now. */
  readonly pending: BodyCalls["pending"];
  /** Whether the body may leave memory (B8). */
  readonly rest: BodyRest;
  readonly handlers: BodyHandlers;
  readonly #shared: ExecutionShared;
  readonly #reports: RunReports;
  readonly #history: History;
  readonly #answers: Answers;
  readonly #activity: Activity;
  readonly #interception: Interception | undefined;
  readonly #calls: BodyCalls;
  readonly #replay: ReplayGate;
  readonly #place: PlacedBody;
  readonly #ended = new Latch();
  readonly #end = new BodyEnd();
  readonly #cancellation: BodyCancellation;
  readonly #alarms: BodyAlarms;
  /** What the same body left behind, if it was in memory before (B8). */
  readonly #evicted: EvictedBody | undefined;
  #hasReportedForeign: boolean;

  /** The caller has taken a slot for it, which becomes the execution's. `evicted`: what the body left behind when it was taken out of memory. */
  constructor(definition: WorkflowDefinition, start: ExecutionStart, shared: ExecutionShared, evicted?: EvictedBody) {
    const { runId, epoch } = start;
    const { nodeId, clock, proposer, random, probe, logger, emit, maxPayloadBytes, maxBatchBytes, streamBounds } =
      shared;
    const { interruption } = this;
    this.definition = definition;
    this.start = start;
    this.nodeId = nodeId;
    this.#evicted = evicted;
    this.#hasReportedForeign = evicted?.hasReportedForeign === true;
    this.inbox = new SignalInbox(start.signals, start.keptSignals);
    this.#shared = shared;
    const reports = new RunReports({ runId, workflowType: definition.type, nodeId, epoch, logger, emit });
    this.#reports = reports;
    this.#place = new PlacedBody(runId, (reason, inside) => this.#strayRejection(reason, inside));
    const holds = (): boolean => !interruption.isOver;
    const onLost = (): void => this.end("lost to another node");
    const onRefused = (error: unknown): void => this.#refused(error);
    const hold = (error: NonDeterminismError): void => this.#diverged(error);
    const readable = readableRecords({ ...shared, runId, goOn: holds, hold });
    const ownership = { runId, owner: nodeId, epoch, holds, onLost, onRefused, readable };
    this.#history = new History(ownership, proposer, clock, start, maxBatchBytes, streamBounds, evicted?.time);
    this.#alarms = new BodyAlarms(clock, this.#history.time, () => this.rest.stir());
    this.#answers = new Answers(clock);
    this.#interception = interceptionOf(definition.type, start, shared, evicted !== undefined);
    this.queries = new BodyQueries({
      runId,
      history: this.#history,
      answers: this.#answers,
      ended: this.#ended,
      maxBytes: maxBatchBytes,
      interception: this.#interception,
    });
    this.#activity = new Activity(shared.slots, clock, { open: () => this.#calls.open });
    this.#replay = new ReplayGate({
      history: this.#history,
      clock,
      open: () => this.#calls.open - this.#activity.parked,
      isAnswering: () => this.#answers.isGiving,
      onRest: (path, kind) => this.#diverged(this.#history.differenceAt(path, callOf(kind))),
    });
    this.#calls = new BodyCalls({
      history: this.#history,
      answers: this.#answers,
      interruption,
      activity: this.#activity,
      guard: new ContextGuard(this.#place, clock),
      replay: this.#replay,
      turns: shared.turns,
      clock,
      alarms: this.#alarms,
      resumesAfter: evicted?.lastWake,
      maxPayloadBytes,
      payloads: shared.payloads,
      interception: this.#interception,
      run: start,
      behaviourLevel: start.behaviourLevel,
      isAgain: shared.isAgain ?? false,
      onDiverged: (error) => this.#diverged(error),
    });
    this.pending = this.#calls.pending;
    this.site = new CallSite(this.#calls, interruption.root);
    this.handlers = new BodyHandlers({
      site: this.site,
      inbox: this.inbox,
      start,
      contextOf: (paths, site) => ExecutionContext.of(this, paths, site),
      awaits: (path) => this.children.externals.awaited.includes(path),
      onFailed: (error) => this.#handlerFailed(error),
    });
    const lines = new BodyLines(evicted?.lines ?? 0, () => this.#calls.isReplaying);
    this.log = { logger, runId, workflowType: definition.type, lines };
    const { guard } = this.site;
    this.streams = {
      writes: () => this.#history.streams,
      guard,
      interruption,
      turn: () => shared.turns.current,
      woken: () => this.#calls.woken(),
    };
    this.steps = {
      run: start,
      workflowType: definition.type,
      probe,
      intercepted: (path, fn) => this.#interception?.step(path, fn) ?? fn,
      surroundings: {
        clock,
        fencingToken: epoch,
        random,
        attemptFailed: (path, attempt, error, retryInMs) => reports.attemptFailed(path, attempt, error, retryInMs),
      },
    };
    const values = start.history.map(([, { value }]) => value);
    this.size = new HistorySize(values, (records, bytes) => reports.historyLarge(records, bytes));
    const { setting, cancels: childCancels, retries: childRetries } = bodyChildren(start, shared, reports, ownership);
    this.children = setting;
    const parts = { interruption, activity: this.#activity, history: this.#history, answers: this.#answers };
    const { queries, handlers } = this;
    this.rest = new BodyRest({ ...parts, queries, handlers, childCancels, childRetries });
    this.#cancellation = new BodyCancellation({
      ...parts,
      calls: this.#calls,
      site: this.site,
      externals: setting.externals,
      clock,
      graceMs: shared.cancelGraceMs,
      onOverdue: (reason) => this.#overdue(reason),
    });
    if (start.cancelReason !== undefined) this.cancel(start.cancelReason);
  }

  /** Runs the body to its end and proposes that. Never rejects. */
  async execute(): Promise<void> {
    watchStrayRejections();
    if (this.#evicted === undefined) this.#reports.bodyStarted(this.start.attempt, this.#history.size);
    const body = inBody(this.#place, () => this.#interception?.runBody(() => this.#outcome()) ?? this.#outcome());
    void body.then(this.#end.comes);
    const returned = await this.#end.first;
    const { interruption, handlers } = this;
    if (interruption.isOver) return;
    handlers.returned(returned.status === "failed");
    this.queries.returned();
    const decide = (): BodyOutcome => settledOutcome(returned, this, this.#shared);
    const outcome =
      returned.status === "failed" ? returned : await this.#end.drained(handlers.drained(), this.#ended, decide);
    if (interruption.isOver) return;
    if (this.#history.left > 0 && interruption.cancelled === undefined) {
      this.#diverged(this.#history.differenceAt("its end", `to have ${outcome.status}`));
      return;
    }
    // A held body's outcome stands like any other: nothing of the run is left to hand over.
    interruption.hold();
    this.site.guard.returned();
    this.#reports.leftovers(outcome.status, this.#history.unused, this.#calls.steps);
    await this.#proposeEnd(outcome);
    this.end("ended");
  }

  /** A handler of a signal has failed, and the run with it. */
  #handlerFailed(error: unknown): void {
    if (error instanceof NonDeterminismError) this.#diverged(error);
    else if (this.interruption.cancelled === undefined) this.#end.strays(error);
    else if (!(error instanceof CancelledError)) this.#reports.cleanUpFailed(error);
  }

  /** The body asks for the next generation of its run: nothing of it goes on. */
  continueAsNew(input: Uint8Array): void {
    this.#end.comes({ status: "continued", input });
  }

  /** Somebody has asked to cancel the run. A body that has not ended after a while is ended. */
  cancel(reason: string): void {
    this.rest.stir();
    this.#cancellation.request(reason);
  }

  /** The body calls a method of its context: reports a body that something else than an answer has woken, once. Undefined, or the refusal of a testing kit. */
  calls(method: string, named: unknown): Promise<never> | undefined {
    if (this.#hasReportedForeign || !this.#calls.isWokenByOthers) return undefined;
    this.#hasReportedForeign = true;
    const call = shownCall(method, named);
    this.#reports.foreignAwait(call);
    return this.#interception?.foreignAwait(call);
  }

  /** A shield begins: the execution waits for it. Returns the way to say that it has ended. */
  shield(): () => void {
    return this.#cancellation.shield();
  }

  #overdue(reason: string): void {
    this.#reports.doesNotEnd();
    void this.#proposeEnd({ status: "cancelled", reason }).then(() => this.end("ended"));
  }

  /** The body asks for something else than what is recorded, or has ended without asking for all of it: its run is held for code that fits (B7). */
  #diverged(error: NonDeterminismError): void {
    const { interruption } = this;
    if (interruption.isClosed) return;
    // Whatever the code is, a cancelled run ends.
    if (interruption.cancelled !== undefined) {
      interruption.tell();
      return;
    }
    interruption.hold();
    this.site.guard.returned();
    this.#reports.codeDiffers(error);
    const { step: path, expected, recorded } = error;
    void this.#history.hold({ path, expected, recorded }).then(() => this.end("held"));
  }

  /** The log has this path of the run, under this ownership. */
  committed(path: string, kind: RecordKind, position: RecordPosition): void {
    this.rest.stir();
    // Alone there is nothing that could be answered before it.
    const { externals } = this.children;
    if (this.#calls.hasSeveral || externals.isAwaited) this.#answers.committed(path, position);
    if (isExternal(kind)) externals.arrived(path, position);
  }

  /** A snapshot has taken the place of events: gives no answer until the function that comes back is called (answers.ts Q4). */
  suspend(): () => void {
    this.rest.stir();
    return this.#answers.suspend();
  }

  /** The log has the failure of this run, as this execution brought it about. */
  failed(error: RecordedError): void {
    this.#reports.runFailed(error);
  }

  /** This node does not have the run any more, or the run has ended. Idempotent. */
  end(why: string): void {
    this.#over(() => executionOver(why));
  }

  #over(why: () => Error): void {
    if (this.interruption.isOver) return;
    this.interruption.end(why);
    this.#cancellation.end();
    this.#activity.end();
    this.#replay.close();
    this.#ended.open();
    const reports = this.#reports;
    this.#place.release((reason, inside) => reports.lateRejection(reason, inside));
  }

  get workflowType(): string {
    return this.definition.type;
  }

  /** Steps whose attempts have begun and that are not recorded. */
  get stepsUnderWay(): Iterable<StepUnderWay> {
    return [...this.#calls.steps.values()].filter((step) => step !== undefined);
  }

  /** Tells `listener` when the body comes to rest, with every open call a sleep or a wait, and when it goes on. */
  onRest(listener: (isAtRest: boolean) => void): void {
    this.#activity.onRest(listener);
  }

  /** The body leaves memory (B8). Gives what is kept of it. */
  evict(): EvictedBody {
    const left: EvictedBody = {
      time: this.#history.time,
      dueMs: this.#alarms.earliestMs,
      lastWake: this.#calls.lastWake,
      lines: this.log.lines.count,
      hasReportedForeign: this.#hasReportedForeign,
      records: this.size.records,
      latestUpdate: this.handlers.latestUpdate,
      signals: this.inbox.awaited,
      externals: this.children.externals.awaited,
    };
    this.#over(bodyEvicted);
    return left;
  }

  /** Lets what has begun finish and begins nothing more. Resolves when nothing is under way. */
  async hold(): Promise<void> {
    this.interruption.hold();
    await this.#activity.whenIdle();
    await Promise.race([this.#history.quiet(), this.#ended.opened]);
  }

  /** The log refuses what the body goes on from: the run fails for that reason. */
  #refused(error: unknown): void {
    if (this.interruption.isOver) return;
    this.interruption.hold();
    void this.#proposeEnd({ status: "failed", error: recordedError(error) }).then(() => this.end("ended"));
  }

  #outcome(): ReturnType<typeof bodyOutcome> {
    return bodyOutcome({
      definition: this.definition,
      start: this.start,
      site: this.site,
      context: ExecutionContext.of(this, new StepPaths(), this.site),
      handlers: this.handlers,
      onDiverged: (error) => this.#diverged(error),
      onCleanUpFailed: (error) => this.#reports.cleanUpFailed(error),
    });
  }

  /** Fails the run (B5). */
  #strayRejection(reason: unknown, inside: string | undefined): void {
    if (this.interruption.cancelled !== undefined || this.definition.reportsRejections === true) {
      // Branches that the body dropped are interrupted like those that it awaits.
      if (!(reason instanceof CancelledError)) this.#reports.lateRejection(reason, inside);
      return;
    }
    this.#end.strays(unhandledRejection(reason, inside));
  }

  async #proposeEnd(outcome: BodyOutcome): Promise<void> {
    const { runId } = this.start;
    try {
      await (outcome.status === "continued" ? this.#history.continueAsNew(outcome) : this.#history.end(outcome));
    } catch (error) {
      if (this.interruption.isOver) return;
      if (outcome.status !== "failed") return this.#proposeEnd({ status: "failed", error: recordedError(error) });
      this.#shared.logger.error({ runId, err: error }, "The end of a run could not be proposed.");
    }
  }
}
