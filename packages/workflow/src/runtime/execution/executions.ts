/**
 * The runs that this node executes.
 *
 * Role: follows the events of the replicated state; begins an execution when a run becomes this process's, ends it when the
 * run is another's or has ended.
 *
 * O1. There is at most one execution per run here, under the latest epoch this node knows.
 * O2. Nothing is executed before this process has registered: what its predecessor owned comes to it by that.
 * O3. An execution hears of every signal and of a cancellation, also of what came while its record was read, and of what came
 *     in a snapshot instead of events.
 * O4. A cancelled run waits for no slot: one that has begun goes on beyond the node's number, one that no owner has begun ends without its body.
 * O5. Bodies begin over several turns of the event loop, in the order in which their runs came.
 * O6. The bodies of suspects begin one after the other (trials.ts).
 * O7. A run that is to be paused begins nothing more here. Once what it had begun is recorded, its owner says so.
 */
import type { Logger, LogIndex, NodeId } from "@raftoral/raft-core";
import type { WorkflowRegistry } from "../../author/workflow.ts";
import { isSuspect } from "../../model/owner-losses.ts";
import type { Epoch } from "../../model/ownership.ts";
import { isExternal } from "../../model/record.ts";
import type { RunView } from "../../state/run-view.ts";
import type { RecordCommitted, WorkflowEvent } from "../../state/workflow-event.ts";
import type { WorkflowEngine } from "../engine/workflow-engine.ts";
import type { ExecutionShared, ExecutionStart } from "./execution-shared.ts";
import { watchDeadline } from "./run-deadline.ts";
import { proposeEnd, proposeStill } from "./run-end.ts";
import { RunExecution } from "./run-execution.ts";
import type { Slots } from "./slots.ts";
import { type Trial, Trials } from "./trials.ts";

/** What a new generation has not. */
const NOTHING = { history: [], progress: [], streams: [], isRetried: false, keptSignals: [] } as const;

/** What makes a run this node's. */
interface OwnedRun {
  readonly runId: string;
  readonly epoch: Epoch;
  readonly ownerLosses: number;
  readonly family: LogIndex;
  readonly deadlineAtMs: number;
}

/** A run that is this node's: waiting for a slot or its record, or executed. */
interface Held {
  readonly epoch: Epoch;
  execution: RunExecution | undefined;
  /** Something came for the run while its record was being read: what was read may lack it. */
  outdated: boolean;
  /** Somebody has asked to pause the run: nothing of it begins here. */
  isPausing: boolean;
  /** Ends the wait for a slot; undefined while there is none. */
  leaveQueue: (() => void) | undefined;
  /** Present when the run is a suspect. */
  readonly trial: Trial | undefined;
  /** Ends the wait for the end of the run's time. */
  stopTimer: () => void;
}

/** All executions of one node. The runtime hands it the state's events in their order (O1 to O5). */
export class Executions {
  readonly #nodeId: NodeId;
  readonly #engine: WorkflowEngine;
  readonly #registry: WorkflowRegistry;
  readonly #slots: Slots;
  readonly #trials: Trials;
  readonly #shared: ExecutionShared;
  readonly #logger: Logger;
  readonly #held = new Map<string, Held>();
  #closed = false;

  constructor(engine: WorkflowEngine, registry: WorkflowRegistry, shared: ExecutionShared) {
    this.#nodeId = engine.nodeId;
    this.#engine = engine;
    this.#registry = registry;
    this.#slots = shared.slots;
    this.#trials = new Trials(shared);
    this.#shared = shared;
    this.#logger = shared.logger;
  }

  /** Runs that are this node's, waiting ones included. */
  get size(): number {
    return this.#held.size;
  }

  /** The body of a run, if it runs here. */
  body(runId: string): RunExecution | undefined {
    return this.#held.get(runId)?.execution;
  }

  /** `mine` says whether this process is registered (O2). */
  onEvent(event: WorkflowEvent, mine: boolean): void {
    switch (event.type) {
      case "run-started":
        if (mine && event.owner === this.#nodeId) {
          const { runId, version, epoch, input, seed, trace, behaviourLevel, index: startIndex } = event;
          const nothing = { ...NOTHING, signals: [] };
          const fresh = { attempt: 1, cancelReason: undefined, ...nothing };
          const start = {
            runId,
            startIndex,
            generation: 1,
            version,
            epoch,
            input,
            seed,
            trace,
            behaviourLevel,
            ...fresh,
          };
          this.#take({ ...event, family: startIndex }, start);
        }
        return;
      case "run-continued":
        this.#drop(event.runId, event.epoch, "the run has begun its next generation");
        if (mine && event.owner === this.#nodeId) {
          const { runId, version, epoch, input, seed, trace, behaviourLevel, generation } = event;
          const { cancelReason, signals, index: startIndex } = event;
          const given = { runId, startIndex, generation, version, epoch, input, seed, trace, behaviourLevel };
          const start = { ...given, attempt: 1, cancelReason, signals, ...NOTHING };
          this.#take(event, start);
        }
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
        this.#reach(event.runId)?.inbox.arrived(event.name);
        return;
      case "pause-requested":
        this.#pause(event.runId);
        return;
      case "cancel-requested":
        this.#reach(event.runId)?.cancel(event.reason);
        this.#held.get(event.runId)?.leaveQueue?.();
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
      if (now.get(runId)?.epoch === held.epoch) await this.#catchUp(runId, held);
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
  async #catchUp(runId: string, held: Held): Promise<void> {
    held.outdated = true;
    if (held.execution === undefined) return;
    const run = await this.#engine.run(runId);
    if (run?.status !== "running" || run.epoch !== held.epoch) return;
    for (const [path, { kind, position }] of run.history) held.execution.committed(path, kind, position);
    held.execution.inbox.reset(run.signals);
    if (run.cancelReason !== undefined) held.execution.cancel(run.cancelReason);
    if (run.pauseReason !== undefined) this.#pause(runId);
  }

  /** O7. */
  #pause(runId: string): void {
    const held = this.#held.get(runId);
    if (held === undefined || held.isPausing) return;
    held.isPausing = true;
    const still = held.execution?.hold() ?? Promise.resolve();
    const goOn = (): boolean => this.#isMine(runId, held);
    void still.then(() => proposeStill({ runId, owner: this.#nodeId, epoch: held.epoch, goOn }, this.#shared));
  }

  #committed({ runId, path, kind, position, value }: RecordCommitted): void {
    const held = this.#held.get(runId);
    if (held === undefined) return;
    // What was read of the run may lack a record from outside, and says nothing about the run's body.
    if (isExternal(kind)) held.outdated = true;
    else held.trial?.over();
    held.execution?.committed(path, kind, position);
    held.execution?.size.add(value.length);
  }

  /** The execution of a run, for something that came for it. */
  #reach(runId: string): RunExecution | undefined {
    const held = this.#held.get(runId);
    if (held === undefined) return undefined;
    held.outdated = true;
    return held.execution;
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
    held.trial?.over();
    held.stopTimer();
  }

  /** A new run: its record is what the event says. */
  #take(run: Omit<OwnedRun, "ownerLosses"> & { readonly workflowType: string }, start: ExecutionStart): void {
    if (this.#closed) return;
    const { runId, workflowType: type } = run;
    const { version } = start;
    const held = this.#heldOf(run, undefined);
    this.#held.set(runId, held);
    if (this.#slots.tryTake()) this.#begin(held, type, version, start);
    else this.#loadSoon(runId, held);
  }

  #takeRecorded(run: OwnedRun): void {
    if (this.#closed) return;
    const { runId, epoch, ownerLosses: count } = run;
    const trial = isSuspect({ count }) ? this.#trials.of({ runId, epoch }) : undefined;
    const held = this.#heldOf(run, trial);
    this.#held.set(runId, held);
    this.#loadSoon(runId, held);
  }

  #heldOf(run: Omit<OwnedRun, "ownerLosses">, trial: Trial | undefined): Held {
    const { runId, epoch, deadlineAtMs } = run;
    const held: Held = {
      epoch,
      execution: undefined,
      outdated: false,
      isPausing: false,
      leaveQueue: undefined,
      trial,
      stopTimer: () => {},
    };
    if (deadlineAtMs > 0) held.stopTimer = watchDeadline(run, this.#shared, () => this.#isMine(runId, held));
    return held;
  }

  #loadSoon(runId: string, held: Held): void {
    this.#load(runId, held).catch((error: unknown) => {
      this.#forget(runId, held);
      this.#logger.error({ runId, err: error }, "A run's record could not be read; it is not executed here.");
    });
  }

  async #load(runId: string, held: Held): Promise<void> {
    await this.#shared.turns.next();
    if ((await held.trial?.turn) === false) return;
    let hasSlot = this.#slots.tryTake() || (await this.#slotOf(runId, held));
    let run: RunView | undefined;
    try {
      if ((await held.trial?.begin()) === false) {
        this.#forget(runId, held);
        return;
      }
      do {
        held.outdated = false;
        run = this.#isMine(runId, held) ? await this.#engine.run(runId) : undefined;
      } while (run !== undefined && held.outdated);
      if (run?.status !== "running" || run.epoch !== held.epoch || !this.#isMine(runId, held)) {
        this.#forget(runId, held);
        return;
      }
      if (held.isPausing || run.pauseReason !== undefined) {
        this.#pause(runId);
        return;
      }
      if (!hasSlot && run.attempt <= 1 && run.history.length === 0 && run.cancelReason !== undefined) {
        await this.#endUnbegun(runId, held, run.cancelReason);
        return;
      }
      if (!hasSlot) this.#slots.takeBeyond();
      hasSlot = false;
      this.#begin(held, run.workflowType, run.version, run);
    } finally {
      if (hasSlot) this.#slots.release();
    }
  }

  /** Waits for a slot. False when the run leaves the queue without one: it is cancelled, or not this node's any more (O4). */
  async #slotOf(runId: string, held: Held): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const settle = (hasSlot: boolean): void => {
      held.leaveQueue = undefined;
      resolve(hasSlot);
    };
    const stop = this.#slots.enqueue(() => settle(true));
    held.leaveQueue = () => {
      if (stop()) settle(false);
    };
    const run = await this.#engine.summary(runId);
    if (run?.status === "running" && run.cancelReason !== undefined) held.leaveQueue?.();
    return await promise;
  }

  /** The run is cancelled before anybody has begun it: there is nothing to clean up. */
  async #endUnbegun(runId: string, held: Held, reason: string): Promise<void> {
    const goOn = (): boolean => this.#isMine(runId, held);
    const run = { runId, owner: this.#nodeId, epoch: held.epoch, goOn };
    await proposeEnd(run, { status: "cancelled", reason }, this.#shared);
    this.#forget(runId, held);
  }

  #isMine(runId: string, held: Held): boolean {
    return this.#held.get(runId) === held && !this.#closed;
  }

  #forget(runId: string, held: Held): void {
    held.trial?.over();
    held.stopTimer();
    if (this.#held.get(runId) === held) this.#held.delete(runId);
  }

  #begin(held: Held, type: string, version: number, start: ExecutionStart): void {
    const definition = this.#registry.get(type, version);
    const { behaviourLevel } = start;
    if (definition === undefined || behaviourLevel > this.#shared.behaviourLevel) {
      // The state gives runs to nodes that registered what they need, and this node registered what it has.
      this.#slots.release();
      this.#forget(start.runId, held);
      this.#logger.error(
        { runId: start.runId, type, version, behaviourLevel },
        "A run that needs what this node never registered is its own. It is not executed here.",
      );
      return;
    }
    const execution = new RunExecution(definition, start, this.#shared);
    held.execution = execution;
    execution.onRest((isAtRest) => held.trial?.atRest(isAtRest));
    execution
      .execute()
      .catch((error: unknown) => this.#logger.error({ runId: start.runId, err: error }, "An execution has failed."))
      .finally(() => this.#forget(start.runId, held));
  }
}
