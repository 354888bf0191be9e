/**
 * Workflows on one node: executes the runs that this node owns, and does the leader's duties for all of them.
 *
 * Role: ties the engine's events to registration, executions, the leader's duties and observers. It holds no state of runs: that
 * is the engine's. Requests to runs are made elsewhere (requests/run-requests.ts).
 */
import { type Clock, type Logger, platformClock, RaftError, silentLogger } from "@raftoral/raft-core";
import { isObjectDefinition } from "../author/objects/object.ts";
import { WorkflowRegistry } from "../author/workflow.ts";
import type { NodeDrain } from "../commands/nodes/node-drain.ts";
import type { Moved } from "../commands/results.ts";
import type { MoveRuns } from "../commands/runs/move-runs.ts";
import { WorkflowError } from "../errors.ts";
import type { BehaviourLevel } from "../model/runs/run-needs.ts";
import { EncodingProposer } from "../payloads/encoding-proposer.ts";
import { PayloadCoder } from "../payloads/payload-coder.ts";
import { readableRun } from "../payloads/readable-run.ts";
import type { RequestLimit } from "../requests/request-limit.ts";
import type { WorkflowEvent } from "../state/workflow-event.ts";
import { BEHAVIOUR_LEVEL } from "./behaviours.ts";
import type { PendingCall } from "./body/pending-calls.ts";
import { Turns } from "./body/turns.ts";
import { stepsByType, type TypeSteps } from "./calls/steps/steps-under-way.ts";
import { RetryingProposer } from "./engine/retrying-proposer.ts";
import type { EngineNotice, WorkflowEngine } from "./engine/workflow-engine.ts";
import type { ExecutionShared } from "./execution/execution-shared.ts";
import { Executions } from "./execution/executions.ts";
import { Slots } from "./execution/slots.ts";
import { LeaderDuties } from "./leader-duties.ts";
import { missingFor } from "./missing-code.ts";
import { NodeRegistration } from "./node-registration.ts";
import { RunQueries, type RunQuestion } from "./queries/run-queries.ts";
import { timedRules } from "./retention.ts";
import { RuntimeEvents } from "./runtime-events.ts";
import { type RuntimeLimits, resolveLimits, type WorkflowRuntimeOptions } from "./runtime-options.ts";

/** Bodies and context calls that begin in one turn of the event loop. */
const STARTS_PER_TURN = 512;

/** The runtime of one node. `start` registers the node; from then on it executes what the state gives it, until `stop` or `drain`. */
export class WorkflowRuntime {
  /** What happens, on this node and in the cluster. */
  readonly events: RuntimeEvents;
  readonly #engine: WorkflowEngine;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: RuntimeLimits;
  readonly #registry: WorkflowRegistry;
  readonly #behaviourLevel: BehaviourLevel;
  readonly #proposer: RetryingProposer;
  readonly #registration: NodeRegistration;
  readonly #executions: Executions;
  readonly #slots: Slots;
  readonly #queries: RunQueries;
  readonly #duties: LeaderDuties;
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
    const { behaviourLevel = BEHAVIOUR_LEVEL } = options;
    const payloads = PayloadCoder.of(options.payloadCodec, options.blobs);
    this.#behaviourLevel = behaviourLevel;
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
      behaviourLevel,
      archives: options.onlyPruneHandedOver ?? false,
      proposer: this.#proposer,
      clock,
      logger,
      uuid: options.uuid ?? (() => crypto.randomUUID()),
    });
    const { maxRunningBodies, maxResidentRuns, maxPayloadBytes, cancelGraceMs } = this.#limits;
    this.#slots = new Slots(maxRunningBodies);
    const shared: ExecutionShared = {
      nodeId: engine.nodeId,
      clock,
      logger,
      proposer:
        payloads === PayloadCoder.PLAIN
          ? this.#proposer
          : new EncodingProposer({ coder: payloads, proposer: this.#proposer, clock, logger }),
      payloads,
      slots: this.#slots,
      turns: new Turns(clock, STARTS_PER_TURN),
      maxPayloadBytes: options.blobs?.maxBytes ?? maxPayloadBytes,
      maxBatchBytes: maxPayloadBytes,
      streamBounds: { ...this.#limits, encodingOverheadBytes: payloads.overheadBytes },
      cancelGraceMs,
      random,
      emit: (event) => this.events.emit(event),
      newestVersion: (type) => this.#registry.newest(type)?.version,
      isObject: (type) => {
        const newest = this.#registry.newest(type);
        return newest === undefined ? undefined : isObjectDefinition(newest);
      },
      readRecord: (runId, path) => engine.record(runId, path),
      readLocks: async (runId) => (await engine.runLocks(runId)) ?? [],
      readRun: async (runId) => {
        const run = await engine.run(runId);
        return run === undefined ? undefined : await readableRun(payloads, run);
      },
      probe: options.probe,
      interceptor: options.interceptor,
      behaviourLevel,
    };
    this.#executions = new Executions(engine, this.#registry, shared, maxResidentRuns);
    const live = (runId: string) => this.#executions.body(runId);
    this.#queries = new RunQueries({ engine, registry: this.#registry, clock, shared, live });
    const rules = timedRules(options.retention);
    const limits = { ...this.#limits, rules, onlyHandedOver: options.onlyPruneHandedOver ?? false };
    this.#duties = new LeaderDuties(engine, clock, logger, limits, options.probe);
    this.#unsubscribe = engine.subscribe({
      onEvents: (events) => this.#onEvents(events),
      onNotice: (notice) => this.#onNotice(notice),
    });
    this.#registration.register();
    this.registered.then(() => this.#reportMissing()).catch(() => {});
  }

  /** Runs of this node now: whose body runs, sleeps or waits here, and those of them that wait for a free place. */
  get load(): { readonly owned: number; readonly queued: number } {
    return { owned: this.#executions.size, queued: this.#slots.waiting };
  }

  /** Where the bodies of this node's runs are: in memory now, out of it because they rest, and how often one has left memory since the start. */
  get residency(): { readonly resident: number; readonly evicted: number; readonly evictions: number } {
    const { resident, evicted, evictions } = this.#executions;
    return { resident, evicted, evictions };
  }

  /** Steps of bodies in memory here that are under way or wait for another attempt, by the types of their runs. */
  readonly stepsUnderWay = (): readonly TypeSteps[] =>
    stepsByType(this.#executions.bodies(), this.#clock.monotonicMs());

  /**
   * For testing kits: takes the body of a run out of memory as soon as it rests. Resolves with whether it was; false when the run has no body here, or its body is over
   * before.
   */
  evict(runId: string): Promise<boolean> {
    return this.#executions.evict(runId);
  }

  /** What the body of a run answers to a query, from what this node has applied. Rejects as {@link RunQueries.answer} does. */
  async query(question: RunQuestion, limit: RequestLimit): Promise<Uint8Array> {
    this.#assertRunning();
    return this.#queries.answer(question, limit);
  }

  /** What the body of a run waits for, from what this node has applied. Rejects as {@link RunQueries.pending} does. */
  async pending(runId: string, limit: RequestLimit): Promise<readonly PendingCall[]> {
    this.#assertRunning();
    return this.#queries.pending(runId, limit);
  }

  /** Resolves once the cluster knows that this node executes its workflows. Rejects when the runtime stops before. */
  get registered(): Promise<void> {
    return this.#registration.registered;
  }

  /**
   * Before an orderly stop: lets steps under way finish (for `drainGraceMs`), then hands all of this node's runs to others
   * piece by piece. Resolves with how many. This node executes nothing from then on, but still starts and observes; only
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
    // Drained again meanwhile: that is the last word.
    if (this.#stopped || this.#draining !== drained) return;
    // What a failed drain holds still is this node's, and begins again with the registration.
    this.#executions.reopen();
    this.#registration.rejoin();
  }

  /**
   * Before an orderly stop that hands nothing over, for example because no other node is left: the cluster does not hold a suspect that is on trial here
   * responsible for the end of this process. Resolves when that is committed; not while there is no leader.
   */
  settleTrials(): Promise<void> {
    return this.#executions.settleTrials();
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
      counts = await this.#handOver({ kind: "NodeDrain", nodeId: this.#engine.nodeId, incarnation, atMs });
    }
    this.#executions.close();
    this.#logger.info(counts, "this node's runs are handed over");
    return counts;
  }

  async #handOver(command: NodeDrain): Promise<{ readonly moved: number; readonly orphaned: number }> {
    const deadlineMs = this.#clock.monotonicMs() + this.#limits.handOverTimeoutMs;
    const leftMs = (): number => Math.max(1, deadlineMs - this.#clock.monotonicMs());
    const goOn = (): boolean => !this.#stopped && this.#clock.monotonicMs() < deadlineMs;
    const move = async (next: NodeDrain | MoveRuns): Promise<Moved> => {
      const result = await this.#proposer.propose(next, { goOn, timeoutMs: leftMs });
      if (!result.ok) throw new WorkflowError(result.code, result.message, { details: result.details ?? {} });
      return result as Moved;
    };
    const first = await move(command);
    let { orphaned } = first;
    // The leader moves the rest as well; what one of them has moved is left to neither.
    for (let { left } = first; left > 0 && goOn(); ) {
      const next = await move({ kind: "MoveRuns", atMs: this.#clock.wallMs() });
      orphaned += next.orphaned;
      left = next.moved === 0 ? 0 : next.left;
    }
    return { moved: first.moved + first.left, orphaned };
  }

  /** Ends everything here, without a word to the cluster: the others take over as from a dead node. Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#unsubscribe();
    this.#registration.leave();
    this.#duties.stop();
    this.#executions.close();
    this.#queries.close(stoppedError());
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
        break;
      case "run-started":
      case "schedule-changed":
      case "run-ended":
      case "run-stuck":
      case "update-answered":
      case "queue-changed":
      case "lock-changed":
      case "locks-told":
        this.#duties.onEvent(event);
        break;
      case "state-restored": {
        const resume = this.#executions.suspend();
        this.#resync()
          .catch((error: unknown) =>
            this.#logger.error({ err: error }, "The runtime could not follow a restored state."),
          )
          .finally(resume);
        return;
      }
      default:
        break;
    }
    this.#executions.onEvent(event, this.#registration.isRegistered);
  }

  /** Says what runs wait for that this node could have kept, or that a newer release has (VersionMissing, BehavioursMissing). */
  async #reportMissing(): Promise<void> {
    const { waiting } = await this.#engine.overview();
    if (this.#stopped) return;
    const known = { types: this.#registry.types(), behaviourLevel: this.#behaviourLevel };
    for (const { event, advice } of missingFor(known, waiting)) {
      const { type: _, ...fields } = event;
      this.events.emit(event);
      this.#logger.warn(fields, advice);
    }
  }

  #onNotice(notice: EngineNotice): void {
    this.#duties.onNotice(notice);
  }

  async #resync(): Promise<void> {
    const { nodes } = await this.#engine.overview();
    const self = nodes.find((node) => node.nodeId === this.#engine.nodeId);
    this.#registration.observe(self?.incarnation ?? "", self?.status ?? "forgotten");
    await this.#executions.resync(this.#registration.isRegistered);
  }

  #assertRunning(): void {
    if (this.#stopped) throw stoppedError();
  }
}

function stoppedError(): RaftError {
  return new RaftError("NODE_STOPPED", "The workflow runtime of this node was stopped. Ask another node.", {
    retryable: true,
  });
}
