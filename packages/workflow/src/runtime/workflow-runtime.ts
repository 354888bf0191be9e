/**
 * Workflows on one node: starts and observes runs of the whole cluster, executes those this node owns.
 *
 * Role: ties the engine's events to registration, executions, waiters, the leader's duties and observers. It holds no state
 * of runs: that is the engine's.
 */
import { type Clock, type Logger, platformClock, silentLogger } from "@raftoral/raft-core";
import { validated } from "../author/input-schema.ts";
import { encodeValue } from "../author/json-value.ts";
import { escapedName } from "../author/step-path.ts";
import { type WorkflowDefinition, WorkflowRegistry } from "../author/workflow.ts";
import type { CommandResult, Started } from "../command/command-result.ts";
import type { WorkflowCommand } from "../command/workflow-command.ts";
import { WorkflowError } from "../errors.ts";
import type { NodeView, RunPage, RunQuery, RunSummary, RunView } from "../state/run-view.ts";
import type { WorkflowEvent } from "../state/workflow-event.ts";
import { RetryingProposer } from "./engine/retrying-proposer.ts";
import type { EngineNotice, WorkflowEngine } from "./engine/workflow-engine.ts";
import { Executions } from "./execution/executions.ts";
import { Slots } from "./execution/slots.ts";
import { LeaderDuties } from "./leader-duties.ts";
import { NodeRegistration } from "./node-registration.ts";
import { notFound, ResultWaiters, resultOf } from "./result-waiters.ts";
import { RunHandle } from "./run-handle.ts";
import { RuntimeEvents } from "./runtime-events.ts";
import { type RuntimeLimits, resolveLimits, type WorkflowRuntimeOptions } from "./runtime-options.ts";

export interface StartOptions {
  /** The run's id; the same id again is the same run. Defaults to a fresh UUID. */
  readonly id?: string;
  /** Defaults to the definition's, or to the newest version that any node has registered. */
  readonly version?: number;
}

export interface ReadOptions {
  /** Waits until everything acknowledged before the call is visible here (a round to the leader). */
  readonly fresh?: boolean;
}

export class WorkflowRuntime {
  /** What happens, on this node and in the cluster. */
  readonly events: RuntimeEvents;
  readonly #engine: WorkflowEngine;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: RuntimeLimits;
  readonly #registry: WorkflowRegistry;
  readonly #proposer: RetryingProposer;
  readonly #registration: NodeRegistration;
  readonly #executions: Executions;
  readonly #slots: Slots;
  readonly #duties: LeaderDuties;
  readonly #waiters = new ResultWaiters();
  readonly #unsubscribe: () => void;
  #draining: Promise<unknown> | undefined;
  #stopped = false;

  /**
   * Begins to execute as soon as the cluster has taken this node's registration; `registered` tells when. Does not wait for
   * it, for a first node has no quorum yet. Throws CONFIG_INVALID for limits that make no sense.
   */
  static start(options: WorkflowRuntimeOptions): WorkflowRuntime {
    return new WorkflowRuntime(options);
  }

  private constructor(options: WorkflowRuntimeOptions) {
    const { engine, registry = [], clock = platformClock, logger = silentLogger, random = Math.random } = options;
    this.#engine = engine;
    this.#clock = clock;
    this.#logger = logger;
    this.#limits = resolveLimits(options.limits);
    this.#registry = registry instanceof WorkflowRegistry ? registry : new WorkflowRegistry(registry);
    this.events = new RuntimeEvents(logger);
    this.#proposer = new RetryingProposer(engine, clock);
    this.#registration = new NodeRegistration({
      nodeId: engine.nodeId,
      types: this.#registry.types(),
      proposer: this.#proposer,
      clock,
      logger,
    });
    const { maxRunningBodies, maxPayloadBytes, cancelGraceMs } = this.#limits;
    this.#slots = new Slots(maxRunningBodies);
    this.#executions = new Executions(engine, this.#registry, {
      nodeId: engine.nodeId,
      clock,
      logger,
      proposer: this.#proposer,
      slots: this.#slots,
      maxPayloadBytes,
      cancelGraceMs,
      random,
      emit: (event) => this.events.emit(event),
      probe: options.probe,
      interceptor: options.interceptor,
    });
    this.#duties = new LeaderDuties(engine, clock, logger, this.#limits);
    this.#unsubscribe = engine.subscribe({
      onEvents: (events) => this.#onEvents(events),
      onNotice: (notice) => this.#onNotice(notice),
    });
    this.#registration.register();
  }

  /** Runs of this node now: whose body runs, sleeps or waits here, and those of them that wait for a free place. */
  get load(): { readonly owned: number; readonly queued: number } {
    return { owned: this.#executions.size, queued: this.#slots.waiting };
  }

  /** Resolves once the cluster knows that this node executes its workflows. Rejects when the runtime stops before. */
  get registered(): Promise<void> {
    return this.#registration.registered;
  }

  /**
   * Starts a run, or finds the one that has this id; resolves once that is committed. Rejects with WORKFLOW_TYPE_UNKNOWN,
   * WORKFLOW_ID_CONFLICT, INPUT_INVALID, VALUE_NOT_SERIALIZABLE or PAYLOAD_TOO_LARGE, or with the engine's error when there is
   * no quorum for `requestTimeoutMs`.
   */
  async startWorkflow<Input, Output>(
    workflow: WorkflowDefinition<Input, Output> | string,
    input: Input,
    options: StartOptions = {},
  ): Promise<RunHandle<Output>> {
    const type = typeof workflow === "string" ? workflow : workflow.type;
    const version = options.version ?? (typeof workflow === "string" ? 0 : workflow.version);
    const schema = this.#schema(workflow, version);
    if (schema !== undefined) await validated(schema, input, type);
    const runId = options.id ?? crypto.randomUUID();
    if (!runId.isWellFormed()) throw illFormedId();
    const result = await this.#request({
      kind: "WorkflowStart",
      runId,
      workflowType: type,
      version,
      input: encodeValue(input, `input of workflow ${type}`, this.#limits.maxPayloadBytes),
      owner: this.#engine.nodeId,
      atMs: this.#clock.wallMs(),
      seed: crypto.getRandomValues(new Uint8Array(16)),
    });
    return new RunHandle<Output>(this, runId, (result as Started).created);
  }

  /** A handle of any run, by id. Whether there is such a run shows when it is used. */
  handle<Output = unknown>(runId: string): RunHandle<Output> {
    return new RunHandle<Output>(this, runId, false);
  }

  /** A run with all that is recorded of it; undefined when there is none. */
  async getRun(runId: string, options: ReadOptions = {}): Promise<RunView | undefined> {
    await this.#read(options);
    return await this.#engine.run(runId);
  }

  /** A run without input and checkpoints. */
  async getStatus(runId: string, options: ReadOptions = {}): Promise<RunSummary | undefined> {
    await this.#read(options);
    return await this.#engine.summary(runId);
  }

  /** Newest start first. */
  async listRuns(query: RunQuery = {}, options: ReadOptions = {}): Promise<RunPage> {
    await this.#read(options);
    return await this.#engine.list(query);
  }

  /** Which nodes execute what, and how much. */
  async nodes(): Promise<readonly NodeView[]> {
    return (await this.#engine.overview()).nodes;
  }

  /**
   * What the run returned, as soon as its end is applied on this node. Rejects with WorkflowFailedError,
   * WorkflowCancelledError, WORKFLOW_NOT_FOUND or RUNTIME_STOPPED.
   */
  async result(runId: string): Promise<unknown> {
    this.#assertRunning();
    const { outcome, stop } = this.#waiters.wait(runId);
    outcome.catch(() => {});
    try {
      let run = await this.#engine.summary(runId);
      if (run === undefined) {
        await this.#engine.barrier();
        run = await this.#engine.summary(runId);
      }
      if (run === undefined) throw notFound(runId);
      return resultOf(runId, run.status === "running" ? await outcome : run.outcome);
    } finally {
      stop();
    }
  }

  /** Sends a signal to a run, once; resolves once it is committed. Rejects with WORKFLOW_NOT_FOUND or WORKFLOW_FINISHED. */
  async signal(runId: string, name: string, payload?: unknown): Promise<void> {
    escapedName(name);
    const bytes = encodeValue(payload, `signal ${name}`, this.#limits.maxPayloadBytes);
    const atMs = this.#clock.wallMs();
    await this.#request({ kind: "Signal", runId, name, payload: bytes, signalId: crypto.randomUUID(), atMs });
  }

  /** Asks a run's owner to cancel it; resolves once that is committed. Rejects with WORKFLOW_NOT_FOUND or WORKFLOW_FINISHED. */
  async cancel(runId: string, reason = "cancelled on request"): Promise<void> {
    await this.#request({ kind: "Cancel", runId, reason, atMs: this.#clock.wallMs() });
  }

  /**
   * Before an orderly stop: lets steps under way finish (for `drainGraceMs`), then hands all of this node's runs to others
   * with one command. Resolves with how many. This node executes nothing from then on, but still starts and observes; only
   * {@link resume} changes that.
   */
  drain(): Promise<{ readonly moved: number; readonly orphaned: number }> {
    const draining = this.#drain();
    this.#draining = draining.catch(() => undefined);
    return draining;
  }

  /**
   * Undoes {@link drain}, also one that failed or is under way: once that is over, this node registers again and executes.
   * What it handed over stays where it is.
   */
  async resume(): Promise<void> {
    const drained = this.#draining;
    await drained;
    // Drained anew meanwhile: that is the last word.
    if (this.#stopped || this.#draining !== drained) return;
    // What a failed drain holds still is this node's, and begins anew with the registration.
    this.#executions.reopen();
    this.#registration.rejoin();
  }

  async #drain(): Promise<{ readonly moved: number; readonly orphaned: number }> {
    this.#assertRunning();
    const wasRegistered = this.#registration.isRegistered;
    this.#registration.leave();
    const held = this.#executions.hold();
    const grace = Promise.withResolvers<void>();
    const cancelGrace = this.#clock.after(this.#limits.drainGraceMs, grace.resolve);
    await Promise.race([held, grace.promise]);
    cancelGrace();
    const { incarnation } = this.#registration;
    const atMs = this.#clock.wallMs();
    let counts = { moved: 0, orphaned: 0 };
    if (wasRegistered) {
      const result = await this.#request({ kind: "NodeDrain", nodeId: this.#engine.nodeId, incarnation, atMs });
      if (result.ok && result.kind === "Moved") counts = { moved: result.moved, orphaned: result.orphaned };
    }
    this.#executions.close();
    this.#logger.info(counts, "this node's runs are handed over");
    return counts;
  }

  /** Ends everything here, without a word to the cluster: the others take over as from a dead node. Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#unsubscribe();
    this.#registration.leave();
    this.#duties.stop();
    this.#executions.close();
    this.#waiters.rejectAll(stoppedError());
  }

  #schema(workflow: WorkflowDefinition | string, version: number): WorkflowDefinition["input"] {
    if (typeof workflow !== "string") return workflow.input;
    const known = version === 0 ? this.#registry.newest(workflow) : this.#registry.get(workflow, version);
    return known?.input;
  }

  async #read(options: ReadOptions): Promise<void> {
    this.#assertRunning();
    if (options.fresh === true) await this.#engine.barrier();
  }

  /** Proposes for a caller outside of any run: for a bounded time, and with refusals as errors. */
  async #request(command: WorkflowCommand): Promise<CommandResult & { ok: true }> {
    this.#assertRunning();
    const deadlineMs = this.#clock.monotonicMs() + this.#limits.requestTimeoutMs;
    const leftMs = (): number => deadlineMs - this.#clock.monotonicMs();
    const goOn = (): boolean => !this.#stopped && leftMs() > 0;
    // All the time there is for the first attempt: within one, the engine itself keeps it from being applied twice.
    const result = await this.#proposer.propose(command, { goOn, timeoutMs: leftMs });
    if (!result.ok) throw new WorkflowError(result.code, result.message, { details: result.details ?? {} });
    return result;
  }

  #onEvents(events: readonly WorkflowEvent[]): void {
    for (const event of events) {
      this.#onEvent(event);
      this.events.emit(event);
    }
  }

  #onEvent(event: WorkflowEvent): void {
    switch (event.type) {
      case "node-changed":
        this.#registration.onNodeChanged(event);
        this.#duties.onEvent(event);
        return;
      case "run-ended":
        this.#waiters.ended(event.runId, event.outcome);
        break;
      case "runs-pruned":
        for (const runId of event.runIds) this.#waiters.gone(runId);
        return;
      case "state-restored":
        this.#resync().catch((error: unknown) =>
          this.#logger.error({ err: error }, "the runtime could not follow a restored state"),
        );
        return;
      default:
        break;
    }
    this.#executions.onEvent(event, this.#registration.isRegistered);
  }

  #onNotice(notice: EngineNotice): void {
    this.#duties.onNotice(notice);
  }

  async #resync(): Promise<void> {
    const { nodes } = await this.#engine.overview();
    const self = nodes.find((node) => node.nodeId === this.#engine.nodeId);
    this.#registration.observe(self?.incarnation ?? "", self?.status ?? "forgotten");
    await this.#executions.resync(this.#registration.isRegistered);
    for (const runId of this.#waiters.runIds()) {
      const run = await this.#engine.summary(runId);
      if (run === undefined) this.#waiters.gone(runId);
      else if (run.status !== "running") this.#waiters.ended(runId, run.outcome);
    }
  }

  #assertRunning(): void {
    if (this.#stopped) throw stoppedError();
  }
}

function illFormedId(): WorkflowError {
  return new WorkflowError(
    "WORKFLOW_ID_INVALID",
    "A run's id has a lone surrogate, which no log can keep; use another id",
  );
}

function stoppedError(): WorkflowError {
  return new WorkflowError("RUNTIME_STOPPED", "The workflow runtime of this node has stopped; ask another node");
}
