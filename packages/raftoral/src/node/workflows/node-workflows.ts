/**
 * {@link WorkflowsPort} of a node: over its own workflow engine, in this process.
 *
 * NW1. Reads are made after a barrier, so that they show everything that was acknowledged before the call.
 * NW2. A wait reads the run's outcome and never its history, and costs nothing between two events of the run.
 * NW3. Nothing here decodes a payload.
 */
import { type Clock, RaftoralError } from "@raftoral/raft-core";
import {
  type RunSummary as StateSummary,
  type WorkflowCommand,
  type WorkflowEngine,
  WorkflowError,
  type WorkflowRuntime,
} from "@raftoral/workflow";
import type { CallLimit } from "../../api/call-options.ts";
import { Payload } from "../../api/payload.ts";
import type { EndedRun, HistoryPage, RunDescription, RunFilter, RunPage } from "../../api/runs.ts";
import type { PageRequest, SignalRequest, StartRequest, WorkflowsPort } from "../../api/workflows-port.ts";
import { Deadline } from "../../time/deadline.ts";
import { pause } from "../../time/pause.ts";
import { within } from "../../time/within.ts";
import { pageTokenOf, positionOf } from "./page-token.ts";
import { descriptionOf, endedOf, recordOf, summaryOf } from "./run-views.ts";
import { RunWatch } from "./run-watch.ts";

/** What {@link NodeWorkflows} is made of. */
export interface NodeWorkflowsOptions {
  readonly engine: WorkflowEngine;
  readonly runtime: WorkflowRuntime;
  readonly clock: Clock;
  /** Largest payload, in bytes. */
  readonly maxPayloadBytes: number;
}

/** A page of a history ends once its values and paths take so many bytes. */
const PAGE_BYTES = 1024 * 1024;
/** Pause of a wait after a barrier that found no leader. */
const BARRIER_PAUSE_MS = 200;

/** See the file's head. */
export class NodeWorkflows implements WorkflowsPort {
  readonly #options: NodeWorkflowsOptions;
  readonly #watch: RunWatch;
  #isRegistered = false;

  constructor(options: NodeWorkflowsOptions) {
    this.#options = options;
    this.#watch = new RunWatch(options.engine, options.clock);
    options.runtime.registered.then(
      () => {
        this.#isRegistered = true;
      },
      // Stopped before: calls that wait for the registration hear so.
      () => {},
    );
  }

  /** Runs that calls of this node wait for. */
  get waitedFor(): number {
    return this.#watch.size;
  }

  /** Ends every wait with NODE_STOPPED. */
  close(): void {
    this.#watch.close();
  }

  async start(request: StartRequest, limit: CallLimit): Promise<boolean> {
    this.#assertSize(request.input, `the input of ${request.workflowType}`);
    return within(this.#start(request), limit, `Starting ${request.workflowType}`, this.#options.clock);
  }

  async describe(runId: string, limit: CallLimit): Promise<RunDescription> {
    await this.#barrier(limit);
    return descriptionOf(await this.#present(runId));
  }

  async list(filter: RunFilter, { pageSize, pageToken }: PageRequest, limit: CallLimit): Promise<RunPage> {
    const cursor = positionOf("runs", pageToken);
    await this.#barrier(limit);
    const { runs, next } = await this.#options.engine.list({
      ...filter,
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    return { runs: runs.map(summaryOf), nextPageToken: pageTokenOf("runs", next) };
  }

  async history(runId: string, { pageSize, pageToken }: PageRequest, limit: CallLimit): Promise<HistoryPage> {
    const after = positionOf("history", pageToken);
    await this.#barrier(limit);
    const page = await this.#options.engine.history(runId, {
      maxRecords: pageSize,
      maxBytes: PAGE_BYTES,
      ...(after === undefined ? {} : { after }),
    });
    if (page === undefined) throw runNotFound(runId);
    return {
      records: page.records.map(([path, record]) => recordOf(path, record)),
      nextPageToken: pageTokenOf("history", page.next),
    };
  }

  async input(runId: string, limit: CallLimit): Promise<Payload> {
    await this.#barrier(limit);
    const input = await this.#options.engine.input(runId);
    if (input === undefined) throw runNotFound(runId);
    return Payload.ofBytes(input, `the input of run ${runId}`);
  }

  async wait(runId: string, limit: CallLimit): Promise<EndedRun | undefined> {
    const { engine } = this.#options;
    // A run that is known here needs no barrier: its end is seen when it is applied.
    if ((await engine.end(runId)) === undefined && !(await this.#patientBarrier(limit))) return undefined;
    return this.#watch.until(runId, limit, async () => {
      const end = await engine.end(runId);
      if (end === undefined) throw runNotFound(runId);
      return endedOf(end);
    });
  }

  async signal({ runId, name, payload, signalId }: SignalRequest, limit: CallLimit): Promise<void> {
    this.#assertSize(payload, `signal ${name}`);
    const atMs = this.#options.clock.wallMs();
    await this.#request({ kind: "Signal", runId, name, payload: payload.bytes, signalId, atMs }, limit);
  }

  async cancel(runId: string, reason: string, limit: CallLimit): Promise<void> {
    await this.#request({ kind: "Cancel", runId, reason, atMs: this.#options.clock.wallMs() }, limit);
  }

  async #start({ workflowType, version, runId, input }: StartRequest): Promise<boolean> {
    const { runtime } = this.#options;
    // A start right after this node's own would be of a type that nobody has registered yet.
    if (!this.#isRegistered) await runtime.registered;
    const options = { id: runId, ...(version === undefined ? {} : { version }) };
    return (await runtime.startWorkflow(workflowType, input.value(), options)).created;
  }

  /** Replicates a command; its refusal is an error of the workflow package. */
  async #request(command: WorkflowCommand, { timeoutMs }: CallLimit): Promise<void> {
    const result = await this.#options.engine.propose(command, { timeoutMs });
    if (!result.ok) throw new WorkflowError(result.code, result.message, { details: result.details ?? {} });
  }

  async #barrier({ timeoutMs }: CallLimit): Promise<void> {
    await this.#options.engine.barrier({ timeoutMs });
  }

  /** A barrier for a call that may take longer than an election: tried until the limit. False when the time is over. */
  async #patientBarrier(limit: CallLimit): Promise<boolean> {
    const { clock, engine } = this.#options;
    const deadline = new Deadline(limit, clock);
    for (;;) {
      try {
        await engine.barrier(Number.isFinite(limit.timeoutMs) ? deadline.left() : {});
        return true;
      } catch (error) {
        if (!(error instanceof RaftoralError) || !error.retryable || error.code === "NODE_STOPPED") throw error;
        if (deadline.leftMs <= 0 || limit.signal?.aborted === true) return false;
        await pause(clock, Math.min(BARRIER_PAUSE_MS, deadline.leftMs), limit.signal);
      }
    }
  }

  async #present(runId: string): Promise<StateSummary> {
    const run = await this.#options.engine.summary(runId);
    if (run === undefined) throw runNotFound(runId);
    return run;
  }

  #assertSize({ bytes: { length } }: Payload, what: string): void {
    const { maxPayloadBytes } = this.#options;
    if (length <= maxPayloadBytes) return;
    throw new WorkflowError(
      "PAYLOAD_TOO_LARGE",
      `The value of ${what} takes ${length} bytes, at most ${maxPayloadBytes} are taken. Store it elsewhere and pass where it is.`,
      { details: { bytes: length, maxBytes: maxPayloadBytes } },
    );
  }
}

function runNotFound(runId: string): WorkflowError {
  return new WorkflowError(
    "WORKFLOW_NOT_FOUND",
    `There is no run ${JSON.stringify(runId)}: it was never started, or it ended long ago and was pruned. Check the id.`,
    { details: { runId } },
  );
}
