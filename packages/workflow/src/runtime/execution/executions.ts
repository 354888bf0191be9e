/**
 * The runs that this node executes.
 *
 * Role: follows the events of the replicated state; begins an execution when a run becomes this process's, ends it when the
 * run is another's or has ended, takes bodies that rest out of memory, and has them begin again when something happens to their runs.
 *
 * O1. There is at most one execution per run here, under the latest epoch this node knows.
 * O2. Nothing is executed before this process has registered: what its predecessor owned comes to it by that.
 * O3. An execution hears of every signal and of a cancellation, also of what came while its record was read, and of what came
 *     in a snapshot instead of events.
 * O4. A cancelled run waits for no slot, and bodies begin in their turns (body-starts.ts).
 * O5. Nothing that happens to a run without a body in memory is missed. A body leaves in one turn with everything that this node has heard of (residency.ts RE1), and
 *     what it waits for is known from then on: its alarms, the names of its signals, the paths of its records. An event that comes later either wakes the
 *     run, whose record is then read again (body-starts.ts BS5), or is in the record when something else does.
 * O6. A run that is to be paused begins nothing more here, and no body of it does. Once what it had begun is recorded, its owner says so: at once, when it has no
 *     body in memory.
 */
import type { Logger, NodeId } from "@raftoral/raft-core";
import type { WorkflowRegistry } from "../../author/workflow.ts";
import { isExternal } from "../../model/record.ts";
import { isSuspect } from "../../model/runs/owner-losses.ts";
import type { Epoch } from "../../model/runs/ownership.ts";
import type { OpenUpdate } from "../../model/update.ts";
import type { RunningSummary, RunSummary } from "../../state/runs/run-view.ts";
import type { RecordCommitted, WorkflowEvent } from "../../state/workflow-event.ts";
import type { WorkflowEngine } from "../engine/workflow-engine.ts";
import { awaitsRecord, awaitsSignal, type EvictedBody } from "../residency/evicted-body.ts";
import { Residency, type Resident } from "../residency/residency.ts";
import { SharedAlarms } from "../residency/shared-alarms.ts";
import { BodyStarts } from "./body-starts.ts";
import { watchDeadline } from "./ends/run-deadline.ts";
import { proposeStill } from "./ends/run-end.ts";
import type { ExecutionShared, ExecutionStart } from "./execution-shared.ts";
import { freshStart } from "./fresh-start.ts";
import { HeldRun, type OwnedRun } from "./held-run.ts";
import type { RunExecution } from "./run-execution.ts";
import { Trials } from "./trials.ts";

/** What a run that has just begun knows of nothing. */
const NEW_RUN = { generation: 1, cancelReason: undefined, signals: [], updates: [] } as const;

/** All executions of one node. The runtime hands it the state's events in their order (O1 to O6). */
export class Executions {
  readonly #nodeId: NodeId;
  readonly #engine: WorkflowEngine;
  readonly #trials: Trials;
  readonly #shared: ExecutionShared;
  readonly #logger: Logger;
  readonly #starts: BodyStarts;
  readonly #residency: Residency;
  readonly #alarms: SharedAlarms;
  readonly #held = new Map<string, HeldRun>();
  /** Runs whose bodies are not in memory because they rest. */
  #evicted = 0;
  #closed = false;

  /** `maxResident`: bodies in memory, from where on those leave that rest. */
  constructor(engine: WorkflowEngine, registry: WorkflowRegistry, shared: ExecutionShared, maxResident: number) {
    this.#nodeId = engine.nodeId;
    this.#engine = engine;
    this.#trials = new Trials(shared);
    this.#shared = shared;
    this.#logger = shared.logger;
    this.#residency = new Residency(shared.clock, maxResident);
    this.#alarms = new SharedAlarms(shared.clock);
    this.#starts = new BodyStarts({
      engine,
      registry,
      shared,
      isMine: (held) => this.#isMine(held),
      forget: (held) => this.#forget(held),
      begins: (held, execution) => this.#begins(held, execution),
      pause: (held) => this.#pause(held),
    });
  }

  /** Runs that are this node's, waiting ones included. */
  get size(): number {
    return this.#held.size;
  }

  /** Bodies in memory. */
  get resident(): number {
    return this.#residency.count;
  }

  /** Runs whose bodies are not in memory because they rest. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Bodies that were taken out of memory so far. */
  get evictions(): number {
    return this.#residency.evictions;
  }

  /** The body of a run, if it is in memory here. */
  body(runId: string): RunExecution | undefined {
    return this.#held.get(runId)?.execution;
  }

  /** The bodies in memory. */
  *bodies(): Iterable<RunExecution> {
    for (const { execution } of this.#held.values()) if (execution !== undefined) yield execution;
  }

  /** Takes the body of a run out of memory as soon as it rests. Resolves with whether it was; false when the run has no body here, or its body is over first. */
  async evict(runId: string): Promise<boolean> {
    const resident = this.#held.get(runId)?.resident;
    return resident === undefined ? false : await this.#residency.want(resident);
  }

  /** `mine` says whether this process is registered (O2). */
  onEvent(event: WorkflowEvent, mine: boolean): void {
    switch (event.type) {
      case "run-started":
        if (mine && event.owner === this.#nodeId) {
          const start = freshStart(event, { ...NEW_RUN, startIndex: event.index });
          this.#take({ ...event, family: event.index, cancelReason: undefined }, start);
        }
        return;
      case "run-continued":
        this.#drop(event.runId, event.epoch, "the run has begun its next generation");
        if (mine && event.owner === this.#nodeId)
          this.#take(event, freshStart(event, { ...event, startIndex: event.index }));
        return;
      case "owner-changed":
        this.#drop(event.runId, event.epoch, `node ${event.to} is its owner`);
        if (mine && event.to === this.#nodeId) this.#takeRecorded(event);
        return;
      case "node-changed":
        if (event.nodeId === this.#nodeId) this.#dropAll(event.epoch + 1, "this process's ownerships are over");
        return;
      case "run-ended":
        if (event.outcome.status === "failed" && event.owner === this.#nodeId) {
          this.#held.get(event.runId)?.execution?.failed(event.outcome.error);
        }
        this.#drop(event.runId, Number.POSITIVE_INFINITY, "the run has ended");
        return;
      case "record-committed":
        this.#committed(event);
        return;
      case "signal-buffered":
        this.#signalled(event.runId, event.name);
        return;
      case "update-requested":
        this.#updateRequested(event.runId, event.update);
        return;
      case "pause-requested":
        this.#pause(this.#held.get(event.runId));
        return;
      case "type-paused":
        if (event.isPaused) this.#pauseType(event.workflowType);
        return;
      case "cancel-requested":
        this.#cancelRequested(event.runId, event.reason);
        return;
      default:
        return;
    }
  }

  /**
   * The whole state was replaced. To be called in the turn in which that was heard; bodies get no answers until the function that comes back is called,
   * after {@link resync}.
   */
  suspend(): () => void {
    const resumes = [...this.#held.values()].map(({ execution }) => execution?.suspend());
    return () => {
      for (const resume of resumes) resume?.();
    };
  }

  /** After the whole state was replaced: ends what is not this node's any more, begins what is and was not. */
  async resync(mine: boolean): Promise<void> {
    const before = [...this.#held];
    const owned = mine ? await this.#engine.ownedBy(this.#nodeId) : [];
    const now = new Map(owned.map((run) => [run.runId, run]));
    for (const [runId, held] of before) {
      // What came in by an event while the question was under way is newer than the answer.
      if (this.#held.get(runId) !== held) continue;
      const run = now.get(runId);
      if (run?.epoch === held.epoch) await this.#catchUp(held, run);
      else this.#drop(runId, Number.POSITIVE_INFINITY, "the state was replaced");
    }
    for (const [runId, run] of now) {
      if (run.status === "running" && !this.#held.has(runId)) this.#takeRecorded(run);
    }
  }

  /** Lets the steps under way finish and begins nothing more. */
  async hold(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#held.values()].map((held) => held.execution?.hold()));
  }

  /** Before an orderly stop without a drain: the run on trial is not to blame for it. */
  settleTrials(): Promise<void> {
    return this.#trials.settle();
  }

  /** Ends every execution here, without a word to the cluster. */
  close(): void {
    this.#closed = true;
    for (const runId of [...this.#held.keys()]) this.#drop(runId, Number.POSITIVE_INFINITY, "the runtime stopped");
  }

  /** Ends what is held still, and takes runs again. */
  reopen(): void {
    this.close();
    this.#closed = false;
  }

  /** Tells an execution what a snapshot brought for it (O3). */
  async #catchUp(held: HeldRun, now: RunSummary): Promise<void> {
    held.outdated = true;
    if (now.cancelReason !== undefined) held.isCancelled = true;
    if (held.execution === undefined && now.status === "running" && now.pauseReason !== undefined) this.#pause(held);
    const { evicted } = held;
    if (evicted !== undefined) {
      const isNews = now.recordCount !== evicted.records || held.isCancelled;
      if (isNews || (now.status === "running" && brings(now, evicted))) this.#wake(held);
    }
    if (held.execution === undefined) return;
    const run = await this.#engine.run(held.runId);
    if (run?.status !== "running" || run.epoch !== held.epoch) return;
    for (const [path, { kind, position }] of run.history) held.execution?.committed(path, kind, position);
    held.execution?.rest.stir();
    held.execution?.inbox.reset(run.signals);
    held.execution?.handlers.reset(run.updates);
    if (run.cancelReason !== undefined) held.execution?.cancel(run.cancelReason);
    if (run.pauseReason !== undefined) this.#pause(held);
  }

  /** O6. */
  #pause(held: HeldRun | undefined): void {
    if (held === undefined || held.isPausing) return;
    held.isPausing = true;
    const still = held.execution?.hold() ?? Promise.resolve();
    const { runId, epoch } = held;
    const goOn = (): boolean => this.#isMine(held);
    void still.then(() => proposeStill({ runId, owner: this.#nodeId, epoch, goOn }, this.#shared));
  }

  /** Resumed meanwhile or not, each run is given back; the state says what becomes of it (state/operators/paused-types.ts PT2). */
  #pauseType(workflowType: string): void {
    for (const held of this.#held.values()) if (held.workflowType === workflowType) this.#pause(held);
  }

  #committed({ runId, path, kind, position, value }: RecordCommitted): void {
    const held = this.#held.get(runId);
    if (held === undefined) return;
    // What was read of the run may lack a record from outside, and says nothing about the run's body.
    if (isExternal(kind)) held.outdated = true;
    else held.trial?.over();
    held.execution?.committed(path, kind, position);
    held.execution?.size.add(value.length);
    if (held.evicted !== undefined && awaitsRecord(held.evicted, path)) this.#wake(held);
  }

  #signalled(runId: string, name: string): void {
    const held = this.#held.get(runId);
    if (held === undefined) return;
    held.outdated = true;
    held.execution?.rest.stir();
    held.execution?.inbox.arrived(name);
    if (held.evicted !== undefined && awaitsSignal(held.evicted, name)) this.#wake(held);
  }

  #updateRequested(runId: string, update: OpenUpdate): void {
    const held = this.#held.get(runId);
    if (held === undefined) return;
    held.outdated = true;
    held.execution?.rest.stir();
    held.execution?.handlers.arrived(update);
    // Also a body without a handler for it: that is the answer then.
    this.#wake(held);
  }

  #cancelRequested(runId: string, reason: string): void {
    const held = this.#held.get(runId);
    if (held === undefined) return;
    held.outdated = true;
    held.isCancelled = true;
    held.execution?.cancel(reason);
    this.#wake(held);
    held.leaveQueue?.();
  }

  #dropAll(before: Epoch, why: string): void {
    for (const runId of [...this.#held.keys()]) this.#drop(runId, before, why);
  }

  #drop(runId: string, before: Epoch, why: string): void {
    const held = this.#held.get(runId);
    if (held === undefined || held.epoch >= before) return;
    this.#held.delete(runId);
    held.execution?.end(why);
    held.leaveQueue?.();
    this.#release(held);
  }

  /** A new run: its record is what the event says. */
  #take(run: Omit<OwnedRun, "ownerLosses">, start: ExecutionStart): void {
    if (this.#closed) return;
    this.#starts.beginNew(this.#hold(run, undefined), run.workflowType, start);
  }

  #takeRecorded(run: OwnedRun): void {
    if (this.#closed) return;
    const { runId, epoch, ownerLosses: count } = run;
    const trial = isSuspect({ count }) ? this.#trials.of({ runId, epoch }) : undefined;
    this.#starts.enter(this.#hold(run, trial));
  }

  #hold(run: Omit<OwnedRun, "ownerLosses">, trial: HeldRun["trial"]): HeldRun {
    const held = new HeldRun(run, trial);
    this.#held.set(run.runId, held);
    if (run.deadlineAtMs > 0)
      held.deadline = watchDeadline(run, { ...this.#shared, alarms: this.#alarms }, () => this.#isMine(held));
    return held;
  }

  #isMine(held: HeldRun): boolean {
    return this.#held.get(held.runId) === held && !this.#closed;
  }

  #forget(held: HeldRun): void {
    this.#release(held);
    if (this.#held.get(held.runId) === held) this.#held.delete(held.runId);
  }

  /** Nothing is done for the run here any more. Idempotent. */
  #release(held: HeldRun): void {
    const { resident } = held;
    if (resident !== undefined) this.#residency.ended(resident);
    held.resident = undefined;
    held.execution = undefined;
    this.#leaves(held, undefined);
    held.trial?.over();
    this.#alarms.cancel(held.deadline);
    this.#alarms.cancel(held.alarm);
  }

  #begins(held: HeldRun, execution: RunExecution): void {
    const resident: Resident = {
      staysUntil: () => trialOf(held) ?? execution.rest.staysUntil(),
      evict: () => this.#evict(held, execution),
    };
    this.#leaves(held, undefined);
    held.execution = execution;
    held.resident = resident;
    this.#residency.began();
    execution.onRest((isAtRest) => {
      held.trial?.atRest(isAtRest);
      if (held.resident === resident) this.#residency.rests(resident, isAtRest);
    });
    execution
      .execute()
      .catch((error: unknown) => this.#logger.error({ runId: held.runId, err: error }, "An execution has failed."))
      .finally(() => {
        // A body that has left memory is no end of its run, whatever code of it goes on.
        if (held.execution === execution) this.#forget(held);
      });
  }

  /** O5. */
  #evict(held: HeldRun, execution: RunExecution): void {
    const evicted = execution.evict();
    held.execution = undefined;
    held.resident = undefined;
    this.#leaves(held, evicted);
    const { dueMs, time } = evicted;
    held.alarm = dueMs === undefined ? undefined : this.#alarms.at(time, dueMs, () => this.#wake(held));
  }

  #leaves(held: HeldRun, evicted: EvictedBody | undefined): void {
    this.#evicted += Number(evicted !== undefined) - Number(held.evicted !== undefined);
    held.evicted = evicted;
  }

  /** Something happens to a run: its body begins again, if it is not in memory and its run is not about to pause. */
  #wake(held: HeldRun): void {
    if (held.evicted === undefined || held.isStarting || held.isPausing || this.#closed) return;
    this.#alarms.cancel(held.alarm);
    this.#starts.enter(held);
  }
}

/** A suspect stays until its trial is over. */
function trialOf({ trial }: HeldRun): Promise<void> | undefined {
  return trial === undefined || trial.isOver ? undefined : trial.ended;
}

/** Whether messages have come for a body that it waits for, or that it has to answer. */
function brings({ signals, latestUpdate }: RunningSummary, evicted: EvictedBody): boolean {
  return latestUpdate > evicted.latestUpdate || signals.some((name) => awaitsSignal(evicted, name));
}
