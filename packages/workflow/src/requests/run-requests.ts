/**
 * Requests to runs from outside of any body, over the engine of one node: start, signal, cancel, resume, wait, chunks of streams.
 *
 * RQ1. A request is an idempotent command: one whose outcome is unknown is proposed again while its limit lasts.
 * RQ2. A wait reads the run's outcome and never its history, and costs nothing between two events of the run.
 * RQ3. Payloads are bytes; nothing here decodes them.
 */
import { type Clock, platformClock } from "@raftoral/raft-core";
import type { UpdateTaken } from "../commands/messages/update.ts";
import type { Audit } from "../commands/operators/audit.ts";
import type { MendRuns } from "../commands/operators/mend-runs.ts";
import type { PauseType } from "../commands/operators/pause-type.ts";
import type { Refused } from "../commands/refusal.ts";
import type { CommandResult, WorkflowCommand } from "../commands/registry.ts";
import type { Deleted } from "../commands/runs/delete.ts";
import type { StartedWith, StartWith } from "../commands/runs/start-with.ts";
import type { Started, StartFacts } from "../commands/runs/workflow-start.ts";
import { TOKEN_UNKNOWN_TEXT, WorkflowError } from "../errors.ts";
import type { IdPolicy } from "../model/runs/id-policy.ts";
import type { RunQueue } from "../model/runs/run-queue.ts";
import type { TraceContext } from "../model/trace-context.ts";
import { PayloadCoder } from "../payloads/payload-coder.ts";
import { readableRun, UnreadableValue } from "../payloads/readable-run.ts";
import { tokenPlace } from "../runtime/calls/token-id.ts";
import { proposalFailure, RetryingProposer } from "../runtime/engine/retrying-proposer.ts";
import type { WorkflowEngine } from "../runtime/engine/workflow-engine.ts";
import { retryPoint } from "../runtime/mending/retry-point.ts";
import type { RunEnd } from "../state/runs/run-view.ts";
import type { StreamPage, StreamQuery } from "../state/streams/stream-view.ts";
import { mendCommand, type RunFork, type RunMend, type RunOperation } from "./mending.ts";
import { type OperatorRequest, type QueueAction, queueCommand } from "./queue-requests.ts";
import type { RequestLimit } from "./request-limit.ts";
import { runMissing } from "./run-missing.ts";
import { askedUpdate, type RunUpdate, type RunUpdateEnd, type Taken, type UpdateUntil } from "./run-updates.ts";
import { RunWatch } from "./run-watch.ts";
import { UpdateWatch } from "./update-watch.ts";

export type { RunUpdate, RunUpdateEnd, UpdateUntil } from "./run-updates.ts";

/** What a run is started with. */
export interface RunStart {
  /** Starting twice with one id is one run. */
  readonly runId: string;
  readonly workflowType: string;
  /** The newest version that any node has registered by default. */
  readonly version?: number;
  readonly input: Uint8Array;
  /** 16 bytes that decide the run's `ctx.random` and `ctx.uuid`. */
  readonly seed: Uint8Array;
  /** Equal for inputs of equal value. By default inputs are compared byte by byte. */
  readonly inputDigest?: Uint8Array;
  /** Whether a run that exists must be of this version, too (false). */
  readonly isPinned?: boolean;
  /** How long the run may take, in ms. Without a limit by default. */
  readonly runTimeoutMs?: number;
  /** What the run is found by, as `encodeAttributes` writes it. Nothing by default. */
  readonly attributes?: Uint8Array;
  /** What is done with a run that has the id (use-existing). */
  readonly idPolicy?: IdPolicy;
  /** Names the start; the same one again is answered as created. */
  readonly startId?: string;
  /** How long after the call it begins, in ms. At once by default. */
  readonly delayMs?: number;
  /** When it begins, in ms since the epoch. At once by default. */
  readonly startAtMs?: number;
  /** The place in a trace that the run belongs to. None by default; dropped unless it is well-formed. */
  readonly trace?: TraceContext;
  /** The queue in which it waits until it is let through. None by default. */
  readonly queue?: RunQueue;
}

/** A signal for a run. The same `signalId` again is taken once. */
export interface RunSignal {
  readonly runId: string;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly signalId: string;
}

/** A start for a message: what the run begins with if there is none. */
export interface MessageStart extends RunStart {
  /** Whether a run that has ended is followed by another one under its id (false): otherwise the message is refused with WORKFLOW_FINISHED. */
  readonly afterEnd?: boolean;
}

/**
 * Requests over one engine. A limit bounds each: beyond it `start`, `signal` and `cancel` reject with the last error, and `wait` resolves with
 * undefined.
 */
export class RunRequests {
  readonly #engine: WorkflowEngine;
  readonly #clock: Clock;
  readonly #payloads: PayloadCoder;
  readonly #proposer: RetryingProposer;
  readonly #watch: RunWatch;
  readonly #chunks: RunWatch;
  readonly #updates: UpdateWatch;

  /** `payloads`: decode the failures that tell where a retry goes back to. */
  constructor(engine: WorkflowEngine, clock: Clock = platformClock, payloads: PayloadCoder = PayloadCoder.PLAIN) {
    this.#engine = engine;
    this.#clock = clock;
    this.#payloads = payloads;
    this.#proposer = new RetryingProposer(engine, clock);
    this.#watch = new RunWatch(engine, clock);
    this.#chunks = new RunWatch(engine, clock, "ends-and-chunks");
    this.#updates = new UpdateWatch(engine, clock);
  }

  /** How many calls wait for a run to end, for chunks of a stream, or for an update. */
  get waits(): number {
    return this.#watch.size + this.#chunks.size + this.#updates.size;
  }

  /** Ends every wait with NODE_STOPPED. Idempotent. */
  close(): void {
    this.#watch.close();
    this.#chunks.close();
    this.#updates.close();
  }

  /** Resolves once the start is committed. Rejects with WORKFLOW_TYPE_UNKNOWN, WORKFLOW_ID_CONFLICT, QUEUE_NOT_FOUND, or the engine's error. */
  async start(start: RunStart, limit: RequestLimit): Promise<Started> {
    return (await this.#request({ kind: "WorkflowStart", ...this.#startOf(start) }, limit)) as Started;
  }

  /**
   * Sends a signal to a run, which is started for it if there is none. Resolves once both are committed, as one. Rejects as {@link start} and {@link signal} do; what
   * the run was started with is not compared.
   */
  async signalWithStart(start: MessageStart, signal: Omit<RunSignal, "runId">, limit: RequestLimit): Promise<Started> {
    const { run } = await this.#startWith(start, { signal }, limit);
    return run;
  }

  /**
   * Asks for an update of a run, and waits until it is accepted, or answered; undefined when the limit is over before. Rejects with UPDATE_REJECTED, UPDATE_UNKNOWN,
   * UPDATE_BUFFER_FULL, WORKFLOW_NOT_FOUND, WORKFLOW_FINISHED, NODE_STOPPED, or the engine's error.
   */
  update(update: RunUpdate, until: UpdateUntil, limit: RequestLimit): Promise<RunUpdateEnd | undefined> {
    const ask = async (): Promise<UpdateTaken> =>
      (await this.#request({ kind: "Update", ...update, atMs: this.#clock.wallMs() }, limit)) as UpdateTaken;
    return askedUpdate(this.#updates, update, { until, ask }, limit);
  }

  /** As {@link update}, of a run that is started for it if there is none. Both are committed as one. */
  async updateWithStart(
    start: MessageStart,
    update: Omit<RunUpdate, "runId">,
    until: UpdateUntil,
    limit: RequestLimit,
  ): Promise<{ readonly run: Started; readonly end: RunUpdateEnd | undefined }> {
    const { runId } = start;
    const first = Promise.withResolvers<Started>();
    first.promise.catch(() => {});
    const ask = async (): Promise<Taken> => {
      const taken = await this.#startWith(start, { update }, limit);
      first.resolve(taken.run);
      return taken;
    };
    const end = await askedUpdate(this.#updates, { runId, updateId: update.updateId }, { until, ask }, limit);
    return { run: await first.promise, end };
  }

  async #startWith(
    { afterEnd = false, ...start }: MessageStart,
    message: Pick<StartWith, "signal" | "update">,
    limit: RequestLimit,
  ): Promise<StartedWith> {
    const command = { kind: "StartWith", start: this.#startOf(start), ...message, afterEnd } as const;
    return (await this.#request({ ...command, atMs: this.#clock.wallMs() }, limit)) as StartedWith;
  }

  #startOf({ version = 0, isPinned = false, ...rest }: RunStart): StartFacts {
    const { nodeId: owner } = this.#engine;
    return { version, isPinned, owner, atMs: this.#clock.wallMs(), ...rest };
  }

  /** Resolves once the signal is committed. Rejects with WORKFLOW_NOT_FOUND, WORKFLOW_FINISHED, SIGNAL_BUFFER_FULL, or the engine's error. */
  async signal(signal: RunSignal, limit: RequestLimit): Promise<void> {
    await this.#request({ kind: "Signal", ...signal, atMs: this.#clock.wallMs() }, limit);
  }

  /**
   * Resolves once the answer to a token is committed, or was before. Rejects with TOKEN_UNKNOWN, TOKEN_CONFLICT, TOKEN_EXPIRED, WORKFLOW_FINISHED, or the engine's
   * error. `isFailure`: the value is a recorded error, which the body's wait rejects with.
   */
  async answer(
    { token, value, isFailure }: { readonly token: string; readonly value: Uint8Array; readonly isFailure: boolean },
    limit: RequestLimit,
  ): Promise<void> {
    const place = tokenPlace(token);
    if (place === undefined) throw new WorkflowError("TOKEN_UNKNOWN", TOKEN_UNKNOWN_TEXT);
    await this.#request({ kind: "TokenAnswer", ...place, value, isFailure, atMs: this.#clock.wallMs() }, limit);
  }

  /** Resolves once the cancellation is committed. Rejects with WORKFLOW_NOT_FOUND, WORKFLOW_FINISHED, or the engine's error. */
  async cancel(operation: RunOperation, limit: RequestLimit): Promise<void> {
    await this.#request({ kind: "Cancel", ...operation, atMs: this.#clock.wallMs() }, limit);
  }

  /** Resolves once it is committed that a stuck run goes on. Rejects with WORKFLOW_NOT_FOUND, WORKFLOW_FINISHED, or the engine's error. */
  async resume(operation: RunOperation, limit: RequestLimit): Promise<void> {
    await this.#request({ kind: "Resume", ...operation, atMs: this.#clock.wallMs() }, limit);
  }

  /**
   * Resolves once what is to be done to a run is committed, or was before. Rejects with WORKFLOW_NOT_FOUND, WORKFLOW_FINISHED, WORKFLOW_RUNNING, STEP_RECORDED,
   * STEP_NOT_RECORDED, RETRY_COMPENSATED, RETRY_LIMIT_REACHED, NAME_INVALID, or the engine's error.
   */
  async mend(mend: RunMend, limit: RequestLimit): Promise<void> {
    const from = mend.action.kind === "retry" ? (mend.action.from ?? (await this.#retryPoint(mend.runId, limit))) : "";
    await this.#request(mendCommand(mend, from, this.#clock.wallMs()), limit);
  }

  /**
   * Resolves once a fork of a run is committed, or was before. Rejects with WORKFLOW_NOT_FOUND, WORKFLOW_ID_CONFLICT, STEP_NOT_RECORDED, RETRY_COMPENSATED,
   * FORK_TOO_LARGE, or the engine's error.
   */
  async fork({ from, input, ...fork }: RunFork, limit: RequestLimit): Promise<void> {
    const first = from ?? (await this.#retryPoint(fork.source, limit));
    const given = { hasInput: input !== undefined, input: input ?? new Uint8Array(0) };
    await this.#request({ kind: "Fork", ...fork, from: first, ...given, atMs: this.#clock.wallMs() }, limit);
  }

  /** Resolves once what is to be done to a queue is committed. Rejects with QUEUE_NOT_FOUND, QUEUE_NOT_EMPTY, QUEUE_LIMIT_REACHED, NAME_INVALID, or the engine's error. */
  async changeQueue(name: string, action: QueueAction, operator: OperatorRequest, limit: RequestLimit): Promise<void> {
    await this.#request(queueCommand(name, action, operator, this.#clock.wallMs()), limit);
  }

  /** Resolves once it is committed that a run which has ended is gone. Rejects with WORKFLOW_RUNNING, or the engine's error. */
  async delete(operation: RunOperation, limit: RequestLimit): Promise<Deleted> {
    return (await this.#request({ kind: "Delete", ...operation, atMs: this.#clock.wallMs() }, limit)) as Deleted;
  }

  /** Proposes a command of an operator that is none of the above, again while its outcome is unknown and its limit lasts. Rejects with its refusal. */
  operate<Command extends PauseType | MendRuns | Audit>(
    command: Command,
    limit: RequestLimit,
  ): Promise<Exclude<CommandResult, Refused>> {
    return this.#request(command, limit);
  }

  /** Empty for a run that is not there or has not failed: the state says what is wrong with it. */
  async #retryPoint(runId: string, limit: RequestLimit): Promise<string> {
    if (!(await this.#caughtUp(limit))) return "";
    const run = await this.#engine.run(runId);
    if (run?.status !== "failed" && run?.status !== "cancelled") return "";
    try {
      return retryPoint(await readableRun(this.#payloads, run));
    } catch (error) {
      throw error instanceof UnreadableValue ? error.cause : error;
    }
  }

  /** The run once it has ended; undefined when the limit is over before. Rejects with WORKFLOW_NOT_FOUND or NODE_STOPPED. */
  async wait(runId: string, limit: RequestLimit): Promise<RunEnd | undefined> {
    if (!(await this.#isUnderWay(runId)) && !(await this.#caughtUp(limit))) return undefined;
    return this.#watch.until(runId, limit, async () => {
      const end = await this.#engine.end(runId);
      if (end === undefined) throw await runMissing(this.#engine, runId);
      return end.ended === undefined ? undefined : end;
    });
  }

  /**
   * Chunks of a stream, once there are some, or once none will follow; undefined when the limit is over before. `startIndex` is the run's that the reader
   * began with. Rejects with WORKFLOW_NOT_FOUND, STREAM_TRIMMED or NODE_STOPPED.
   */
  async chunks(
    query: StreamQuery,
    { startIndex, follow }: { readonly startIndex: number | undefined; readonly follow: boolean },
    limit: RequestLimit,
  ): Promise<StreamPage | undefined> {
    const { runId, stream } = query;
    // A reader that has begun goes on with the run that it began with.
    const isKnown = startIndex !== undefined && (await this.#engine.end(runId)) !== undefined;
    if (!isKnown && !(await this.#isUnderWay(runId)) && !(await this.#caughtUp(limit))) return undefined;
    return this.#chunks.until(runId, limit, async () => {
      const page = await this.#engine.stream(query);
      if (page === undefined || (startIndex !== undefined && page.startIndex !== startIndex))
        throw await runMissing(this.#engine, runId);
      const { from = 0 } = query;
      if (query.from !== undefined && from < page.firstOffset) throw trimmed(runId, stream, from, page.firstOffset);
      return page.chunks.length > 0 || page.isOver || !follow ? page : undefined;
    });
  }

  /**
   * Whether this node knows the run as one that goes on: then it needs no barrier, for its end is seen when it is applied. One that has ended may have been retried, or deleted and
   * started again, where this node has not applied it yet.
   */
  async #isUnderWay(runId: string): Promise<boolean> {
    const end = await this.#engine.end(runId);
    return end !== undefined && end.ended === undefined;
  }

  /** Whether everything acknowledged before the call is applied here; false when the limit is over before. Outlasts an election. */
  async #caughtUp(limit: RequestLimit): Promise<boolean> {
    const { leftMs, goOn } = this.#bounds(limit);
    try {
      await this.#proposer.retried(
        () => this.#engine.barrier(Number.isFinite(limit.timeoutMs) ? { timeoutMs: leftMs() } : {}),
        { goOn, timeoutMs: leftMs, signal: limit.signal },
      );
      return true;
    } catch (error) {
      if (proposalFailure(error) !== "retry") throw error;
      return false;
    }
  }

  async #request(command: WorkflowCommand, limit: RequestLimit): Promise<Exclude<CommandResult, Refused>> {
    const { leftMs, goOn } = this.#bounds(limit);
    const timed = Number.isFinite(limit.timeoutMs) ? { timeoutMs: leftMs } : {};
    const result = await this.#proposer.propose(command, { goOn, ...timed, signal: limit.signal });
    if (!result.ok) throw new WorkflowError(result.code, result.message, { details: result.details ?? {} });
    return result;
  }

  #bounds({ timeoutMs, signal }: RequestLimit): { readonly leftMs: () => number; readonly goOn: () => boolean } {
    const endMs = this.#clock.monotonicMs() + timeoutMs;
    const leftMs = (): number => Math.max(1, Math.floor(endMs - this.#clock.monotonicMs()));
    const goOn = (): boolean => this.#clock.monotonicMs() < endMs && signal?.aborted !== true;
    return { leftMs, goOn };
  }
}

function trimmed(runId: string, stream: string, from: number, firstOffset: number): WorkflowError {
  return new WorkflowError(
    "STREAM_TRIMMED",
    `Stream ${stream} of run ${runId} does not keep offset ${from} any more: the first one that is kept is ${firstOffset}. Read from there.`,
    { details: { runId, stream, firstOffset } },
  );
}
