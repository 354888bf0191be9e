/** A runtime and the requests to its engine, with values instead of bytes: what a test says in one line. */

import { WorkflowCancelledError, WorkflowFailedError } from "../author/errors/errors.ts";
import { UpdateFailedError } from "../author/errors/update-errors.ts";
import { decodeValue, encodeValue } from "../author/values/json-value.ts";
import type { WorkflowDefinition } from "../author/workflow.ts";
import type { RecordedError } from "../model/failure.ts";
import type { IdPolicy } from "../model/runs/id-policy.ts";
import { NO_LIMITS, type QueueLimits, type RunQueue } from "../model/runs/run-queue.ts";
import type { TraceContext } from "../model/trace-context.ts";
import { PayloadCoder } from "../payloads/payload-coder.ts";
import { readableRun } from "../payloads/readable-run.ts";
import { decodedRecordValue } from "../payloads/record-values.ts";
import { openedFailure } from "../payloads/sealed-failure.ts";
import type { MendAction } from "../requests/mending.ts";
import type { QueueAction } from "../requests/queue-requests.ts";
import { runNotFound } from "../requests/run-missing.ts";
import { RunRequests, type RunUpdateEnd } from "../requests/run-requests.ts";
import type { PendingCall } from "../runtime/body/pending-calls.ts";
import type { RuntimeEvents } from "../runtime/runtime-events.ts";
import type { WorkflowRuntimeOptions } from "../runtime/runtime-options.ts";
import { WorkflowRuntime } from "../runtime/workflow-runtime.ts";
import type { NodeView, RunSummary, RunView } from "../state/runs/run-view.ts";

/** Longest that a request of a test goes on trying, in ms. */
const REQUEST_MS = 30_000;
const LARGEST_VALUE = 768 * 1024;

/** One run, asked through one node. */
export interface TestRun<Output> {
  readonly id: string;
  readonly created: boolean;
  result(): Promise<Output>;
  status(): Promise<RunSummary>;
  cancel(reason?: string): Promise<void>;
  signal(name: string, payload?: unknown): Promise<void>;
  /** Rejects with UpdateFailedError for a handler that failed. */
  update(name: string, input?: unknown, id?: string): Promise<unknown>;
}

/**
 * A started runtime with requests to its engine. Requests reject after 30 seconds; `result` waits without a bound, so the test's time limit is the
 * bound.
 */
export class TestRuntime {
  readonly #runtime: WorkflowRuntime;
  readonly #options: WorkflowRuntimeOptions;
  readonly #requests: RunRequests;
  readonly #coder: PayloadCoder;

  constructor(options: WorkflowRuntimeOptions) {
    this.#coder = PayloadCoder.of(options.payloadCodec);
    this.#runtime = WorkflowRuntime.start(options);
    this.#options = options;
    this.#requests = new RunRequests(options.engine, options.clock, this.#coder);
  }

  get events(): RuntimeEvents {
    return this.#runtime.events;
  }

  get load(): { readonly owned: number; readonly queued: number } {
    return this.#runtime.load;
  }

  get residency(): { readonly resident: number; readonly evicted: number; readonly evictions: number } {
    return this.#runtime.residency;
  }

  /** Takes the body of a run out of memory as soon as it rests. Resolves with whether it was. */
  evict(runId: string): Promise<boolean> {
    return this.#runtime.evict(runId);
  }

  get registered(): Promise<void> {
    return this.#runtime.registered;
  }

  async startWorkflow<Input, Output>(
    workflow: WorkflowDefinition<Input, Output> | string,
    input: Input,
    options: {
      readonly id?: string;
      readonly version?: number;
      readonly trace?: TraceContext;
      readonly attributes?: Uint8Array;
      readonly idPolicy?: IdPolicy;
      readonly queue?: RunQueue;
      readonly runTimeoutMs?: number;
    } = {},
  ): Promise<TestRun<Output>> {
    const { id: runId = crypto.randomUUID(), ...given } = options;
    const definition = typeof workflow === "string" ? { type: workflow } : workflow;
    const { created, runId: started } = await this.#requests.start(
      {
        runId,
        workflowType: definition.type,
        ...("version" in definition ? { version: definition.version } : {}),
        ...given,
        input: encodeValue(input, `input of workflow ${definition.type}`, LARGEST_VALUE),
        seed: crypto.getRandomValues(new Uint8Array(16)),
      },
      { timeoutMs: REQUEST_MS },
    );
    return this.handle<Output>(started, created);
  }

  async queue(name: string, action: QueueAction | Partial<QueueLimits> = {}): Promise<void> {
    const define = { kind: "define", limits: { ...NO_LIMITS, ...action }, isDeclared: false } as const;
    await this.#requests.changeQueue(name, "kind" in action ? action : define, {}, { timeoutMs: REQUEST_MS });
  }

  handle<Output = unknown>(id: string, created = false): TestRun<Output> {
    return {
      id,
      created,
      result: async () => (await this.result(id)) as Output,
      status: async () => {
        const run = await this.getStatus(id);
        if (run === undefined) throw runNotFound(id);
        return run;
      },
      cancel: (reason) => this.cancel(id, reason),
      signal: (name, payload) => this.signal(id, name, payload),
      update: (name, input, updateId) => this.update(id, name, input, updateId),
    };
  }

  /** As this node has applied it, decoded. */
  async getRun(runId: string): Promise<RunView | undefined> {
    const run = await this.#options.engine.run(runId);
    return run === undefined ? undefined : await readableRun(this.#coder, run);
  }

  /** As this node has applied it. */
  getStatus(runId: string): Promise<RunSummary | undefined> {
    return this.#options.engine.summary(runId);
  }

  async nodes(): Promise<readonly NodeView[]> {
    return (await this.#options.engine.overview()).nodes;
  }

  async result(runId: string): Promise<unknown> {
    const end = await this.#requests.wait(runId, { timeoutMs: Number.POSITIVE_INFINITY });
    const outcome = end?.ended?.outcome;
    if (outcome === undefined) throw new Error(`The wait for run ${runId} ended without an outcome.`);
    if (outcome.status === "failed")
      throw new WorkflowFailedError(runId, await openedFailure(this.#coder, outcome.error, runId));
    if (outcome.status === "cancelled") throw new WorkflowCancelledError(runId, outcome.reason);
    return decodeValue(await this.#coder.decode(outcome.result, runId), `result of run ${runId}`);
  }

  async signal(runId: string, name: string, payload?: unknown): Promise<void> {
    const bytes = encodeValue(payload, `signal ${name}`, LARGEST_VALUE);
    const signal = { runId, name, payload: bytes, signalId: crypto.randomUUID() };
    await this.#requests.signal(signal, { timeoutMs: REQUEST_MS });
  }

  /** Rejects with UpdateFailedError for a handler that failed. */
  async update(runId: string, name: string, input?: unknown, id: string = crypto.randomUUID()): Promise<unknown> {
    const bytes = encodeValue(input, `the input of update ${name}`, LARGEST_VALUE);
    const update = { runId, updateId: id, name, input: bytes };
    const end = await this.#requests.update(update, "completed", { timeoutMs: REQUEST_MS });
    if (end === undefined) return answerOf(runId, name, end);
    const recorded = { path: name, kind: end.status === "failed" ? "answer-failed" : "answer", value: end.value };
    return answerOf(runId, name, { ...end, value: await decodedRecordValue(this.#coder, recorded) });
  }

  /** Until the update is accepted. */
  async accepted(runId: string, name: string, input?: unknown, id: string = crypto.randomUUID()): Promise<string> {
    const bytes = encodeValue(input, `the input of update ${name}`, LARGEST_VALUE);
    const update = { runId, updateId: id, name, input: bytes };
    const end = await this.#requests.update(update, "accepted", { timeoutMs: REQUEST_MS });
    if (end === undefined) throw new Error(`Update ${name} of run ${runId} was not accepted in time.`);
    return id;
  }

  /** From what this node has applied. */
  async query(runId: string, name: string, input?: unknown, timeoutMs = REQUEST_MS): Promise<unknown> {
    const bytes = encodeValue(input, `the input of query ${name}`, LARGEST_VALUE);
    const answer = await this.#runtime.query({ runId, name, input: bytes }, { timeoutMs });
    return decodeValue(await this.#coder.decode(answer, name), `the answer to query ${name}`);
  }

  pending(runId: string): Promise<readonly PendingCall[]> {
    return this.#runtime.pending(runId, { timeoutMs: REQUEST_MS });
  }

  async answer(token: string, value?: unknown): Promise<void> {
    const answer = { token, value: encodeValue(value, "an answer", LARGEST_VALUE), isFailure: false };
    await this.#requests.answer(answer, { timeoutMs: REQUEST_MS });
  }

  async fail(token: string, failure: RecordedError): Promise<void> {
    const answer = { token, value: encodeValue(failure, "a failure", LARGEST_VALUE), isFailure: true };
    await this.#requests.answer(answer, { timeoutMs: REQUEST_MS });
  }

  async cancel(runId: string, reason = "cancelled on request"): Promise<void> {
    await this.#requests.cancel({ runId: runId, reason: reason, by: "" }, { timeoutMs: REQUEST_MS });
  }

  async mend(runId: string, action: MendAction, requestId: string = crypto.randomUUID()): Promise<void> {
    await this.#requests.mend({ runId, action, reason: "to mend it", requestId, by: "" }, { timeoutMs: REQUEST_MS });
  }

  async fork(source: string, runId: string, from?: string, input?: unknown): Promise<void> {
    const bytes = input === undefined ? undefined : encodeValue(input, "the input of a fork", LARGEST_VALUE);
    const request = { runId, source, from, input: bytes, reason: "to try", requestId: crypto.randomUUID(), by: "" };
    await this.#requests.fork(request, { timeoutMs: REQUEST_MS });
  }

  async resumeRun(runId: string): Promise<void> {
    await this.#requests.resume({ runId, reason: "", by: "" }, { timeoutMs: REQUEST_MS });
  }

  drain(): Promise<{ readonly moved: number; readonly orphaned: number }> {
    return this.#runtime.drain();
  }

  resume(): Promise<void> {
    return this.#runtime.resume();
  }

  stop(): void {
    this.#requests.close();
    this.#runtime.stop();
  }
}

function answerOf(runId: string, name: string, end: RunUpdateEnd | undefined): unknown {
  if (end === undefined) throw new Error(`Update ${name} of run ${runId} was not answered in time.`);
  const value = decodeValue(end.value, `the answer to update ${name}`);
  if (end.status === "failed") throw new UpdateFailedError(runId, name, value as RecordedError);
  return value;
}
