/**
 * {@link WorkflowsPort} of a node: over its own workflow engine, in this process.
 *
 * NW1. Reads are made after a barrier, so that they show everything that was acknowledged before the call.
 * NW2. A wait reads the run's outcome and never its history, and costs nothing between two events of the run.
 * NW3. Nothing here decodes a payload.
 */
import { type Clock, RaftoralError } from "@raftoral/raft-core";
import {
  assertPayloadSize,
  type CommandResult,
  type Refused,
  runNotFoundText,
  type RunSummary as StateSummary,
  type WorkflowCommand,
  type WorkflowDefinition,
  type WorkflowEngine,
  WorkflowError,
  type WorkflowRuntime,
} from "@raftoral/workflow";
import type { CallLimit } from "../../api/call-options.ts";
import { inputDigest as digestOf } from "../../api/input-digest.ts";
import { Payload } from "../../api/payload.ts";
import type { EndedRun, HistoryPage, RunDescription, RunFilter, RunPage } from "../../api/runs.ts";
import { assertInputFits } from "../../api/validated-input.ts";
import type { PageRequest, SignalRequest, StartRequest, WorkflowsPort } from "../../api/workflows-port.ts";
import type { Environment } from "../../platform.ts";
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
  /** What this node can execute. */
  readonly definitions: readonly WorkflowDefinition[];
  readonly environment: Environment;
  /** Largest payload, in bytes. */
  readonly maxPayloadBytes: number;
}

/** A page of a history ends once its values and paths take so many bytes. */
const PAGE_BYTES = 1024 * 1024;
/** Pause of a wait after a barrier that found no leader. */
const BARRIER_PAUSE_MS = 200;
/** Pause of a request that may pass later: the group was busy, or changed its leader. */
const REQUEST_PAUSE_MS = 50;
/** What decides a run's randomness. */
const SEED_BYTES = 16;

/** See the file's head. */
export class NodeWorkflows implements WorkflowsPort {
  readonly #options: NodeWorkflowsOptions;
  readonly #watch: RunWatch;
  #isRegistered = false;

  constructor(options: NodeWorkflowsOptions) {
    this.#options = options;
    this.#watch = new RunWatch(options.engine, options.environment.clock);
    options.runtime.registered.then(
      () => {
        this.#isRegistered = true;
      },
      // Stopped before: calls that wait for the registration hear so.
      () => {},
    );
  }

  /** How many calls wait for a run to end. */
  get waits(): number {
    return this.#watch.size;
  }

  /** Ends every wait with NODE_STOPPED. */
  close(): void {
    this.#watch.close();
  }

  async start(request: StartRequest, limit: CallLimit): Promise<boolean> {
    assertPayloadSize(request.input.bytes, `the input of ${request.workflowType}`, this.#options.maxPayloadBytes);
    return within(this.#start(request, limit), limit, `Starting ${request.workflowType}`, this.#clock);
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
    assertPayloadSize(payload.bytes, `signal ${name}`, this.#options.maxPayloadBytes);
    const atMs = this.#clock.wallMs();
    await this.#request({ kind: "Signal", runId, name, payload: payload.bytes, signalId, atMs }, limit);
  }

  async cancel(runId: string, reason: string, limit: CallLimit): Promise<void> {
    await this.#request({ kind: "Cancel", runId, reason, atMs: this.#clock.wallMs() }, limit);
  }

  async #start(
    { runId, workflowType, version = 0, input, isPinned, isValidated }: StartRequest,
    limit: CallLimit,
  ): Promise<boolean> {
    const { engine, runtime, definitions, environment } = this.#options;
    // A start right after this node's own would be of a type that nobody has registered yet.
    if (!this.#isRegistered) await runtime.registered;
    const schema = isValidated ? undefined : definitionOf(definitions, workflowType, version)?.input;
    if (schema !== undefined) await assertInputFits(schema, input, workflowType);
    const { atMs, seed } = { atMs: environment.clock.wallMs(), seed: environment.randomBytes(SEED_BYTES) };
    const start = { kind: "WorkflowStart", runId, workflowType, version, owner: engine.nodeId, atMs, seed } as const;
    const inputDigest = digestOf(input.bytes);
    const digest = inputDigest === undefined ? {} : { inputDigest };
    const result = await this.#request({ ...start, input: input.bytes, isPinned, ...digest }, limit);
    return result.kind === "Started" && result.created;
  }

  /** Replicates a command, which may be applied twice without harm; its refusal is an error of the workflow package. */
  async #request(command: WorkflowCommand, limit: CallLimit): Promise<Exclude<CommandResult, Refused>> {
    const { engine, environment } = this.#options;
    const deadline = new Deadline(limit, environment.clock);
    for (;;) {
      try {
        const result = await engine.propose(command, deadline.left());
        if (result.ok) return result;
        throw new WorkflowError(result.code, result.message, { details: result.details ?? {} });
      } catch (error) {
        if (!mayPass(error) || deadline.leftMs <= REQUEST_PAUSE_MS || limit.signal?.aborted === true) throw error;
        await pause(environment.clock, REQUEST_PAUSE_MS, limit.signal);
      }
    }
  }

  async #barrier({ timeoutMs }: CallLimit): Promise<void> {
    await this.#options.engine.barrier({ timeoutMs });
  }

  /** A barrier for a call that may take longer than an election: tried until the limit. False when the time is over. */
  async #patientBarrier(limit: CallLimit): Promise<boolean> {
    const { engine } = this.#options;
    const clock = this.#clock;
    const deadline = new Deadline(limit, clock);
    for (;;) {
      try {
        await engine.barrier(Number.isFinite(limit.timeoutMs) ? deadline.left() : {});
        return true;
      } catch (error) {
        if (!mayPass(error)) throw error;
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

  get #clock(): Clock {
    return this.#options.environment.clock;
  }
}

/** The definition that a start means: the newest one for version 0. */
function definitionOf(
  definitions: readonly WorkflowDefinition[],
  type: string,
  version: number,
): WorkflowDefinition | undefined {
  const fitting = definitions.filter((each) => each.type === type && (version === 0 || each.version === version));
  return fitting.reduce<WorkflowDefinition | undefined>(
    (a, b) => (a !== undefined && a.version > b.version ? a : b),
    undefined,
  );
}

/** Failures that a later attempt within the same call may not have. */
function mayPass(error: unknown): boolean {
  return error instanceof RaftoralError && error.retryable && error.code !== "NODE_STOPPED";
}

function runNotFound(runId: string): WorkflowError {
  return new WorkflowError("WORKFLOW_NOT_FOUND", runNotFoundText(runId), { details: { runId } });
}
