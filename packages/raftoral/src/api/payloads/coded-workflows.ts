/**
 * {@link WorkflowsPort} through payload codecs: what callers give is encoded on its way down, and what is recorded is decoded on its way up.
 *
 * CO1. A value that cannot be encoded fails its call, and nothing is sent.
 * CO2. A value that cannot be decoded fails for the one who asks for it, and for no other: {@link Payload.value} throws. Runs are described, listed and waited for all the same.
 */
import { type PayloadCoder, type PayloadKind, sealedFailure } from "@raftoral/workflow";
import type { CallLimit } from "../call-options.ts";
import type { EventPage, EventRequest } from "../events.ts";
import type { LocksPort } from "../locks/locks-port.ts";
import type { AuditPage, PausedType } from "../operations/operations.ts";
import type { PageRequest } from "../pages.ts";
import type { QueueInfo } from "../queues/queues.ts";
import type { EndedRun, HistoryPage, PendingCall, RunCount, RunDescription, RunPage, StepInProgress } from "../runs.ts";
import type { StreamPage, StreamRequest } from "../streams.ts";
import type { AnswerRequest } from "../tokens.ts";
import type { UpdateEnd } from "../updates/updates.ts";
import type { VariablePage } from "../variables.ts";
import type {
  AuditQuery,
  CheckedFilter,
  QueryRequest,
  SignalRequest,
  SignalWithStartRequest,
  StartedRun,
  StartRequest,
  UpdateRequest,
  UpdateWithStartRequest,
  WorkflowsPort,
} from "../workflows-port.ts";
import { Payload } from "./payload.ts";
import { shownEvent } from "./shown-event.ts";
import { shown, shownAll, shownError, shownRecord } from "./shown-payload.ts";

/** A port that encodes and decodes (CO1, CO2). */
export class CodedWorkflows implements WorkflowsPort {
  readonly locks: LocksPort;
  readonly #port: WorkflowsPort;
  readonly #coder: PayloadCoder;

  /** The port itself without codecs: nothing is encoded then, and what is cannot be decoded. */
  static over(port: WorkflowsPort, coder: PayloadCoder): WorkflowsPort {
    return coder.isPlain ? port : new CodedWorkflows(port, coder);
  }

  private constructor(port: WorkflowsPort, coder: PayloadCoder) {
    this.#port = port;
    this.#coder = coder;
    this.locks = port.locks;
  }

  async start(request: StartRequest, limit: CallLimit): Promise<StartedRun> {
    return this.#port.start(await this.#encodedStart(request), limit);
  }

  async describe(runId: string, limit: CallLimit): Promise<RunDescription> {
    const run = await this.#port.describe(runId, limit);
    const error = await shownError(this.#coder, run.error, `the end of run ${runId}`);
    return { ...run, error, stepsInProgress: await shownAll(run.stepsInProgress, (step) => this.#shownStep(step)) };
  }

  list(filter: CheckedFilter, page: PageRequest, limit: CallLimit): Promise<RunPage> {
    return this.#port.list(filter, page, limit);
  }

  counts(limit: CallLimit): Promise<readonly RunCount[]> {
    return this.#port.counts(limit);
  }

  async history(runId: string, page: PageRequest, limit: CallLimit): Promise<HistoryPage> {
    const { records, nextPageToken } = await this.#port.history(runId, page, limit);
    const decoded = await shownAll(records, async (record) => {
      return { ...record, value: await shownRecord(this.#coder, record.path, record.kind, record.value) };
    });
    return { records: decoded, nextPageToken };
  }

  async input(runId: string, limit: CallLimit): Promise<Payload> {
    return shown(this.#coder, await this.#port.input(runId, limit));
  }

  async variables(runId: string, name: string | undefined, page: PageRequest, limit: CallLimit): Promise<VariablePage> {
    const { variables, nextPageToken } = await this.#port.variables(runId, name, page, limit);
    const decoded = await shownAll(variables, async (one) => ({ ...one, value: await shown(this.#coder, one.value) }));
    return { variables: decoded, nextPageToken };
  }

  async *stream(request: StreamRequest, limit: CallLimit): AsyncGenerator<StreamPage, void, undefined> {
    for await (const page of this.#port.stream(request, limit))
      yield await shownAll(page, async (chunk) => ({ ...chunk, value: await shown(this.#coder, chunk.value) }));
  }

  async *events(request: EventRequest, limit: CallLimit): AsyncGenerator<EventPage, void, undefined> {
    for await (const { events, next } of this.#port.events(request, limit))
      yield { events: await shownAll(events, (event) => shownEvent(this.#coder, event)), next };
  }

  async wait(runId: string, limit: CallLimit): Promise<EndedRun | undefined> {
    const ended = await this.#port.wait(runId, limit);
    if (ended?.status === "completed") return { ...ended, result: await shown(this.#coder, ended.result) };
    if (ended?.status === "failed")
      return { ...ended, error: await shownError(this.#coder, ended.error, `the end of run ${runId}`) };
    return ended;
  }

  async signal(request: SignalRequest, limit: CallLimit): Promise<void> {
    await this.#port.signal(await this.#encodedSignal(request), limit);
  }

  async pending(runId: string, limit: CallLimit): Promise<readonly PendingCall[]> {
    return shownAll(await this.#port.pending(runId, limit), async (call) => {
      return call.step === undefined ? call : { ...call, step: await this.#shownStep(call.step) };
    });
  }

  async query(request: QueryRequest, limit: CallLimit): Promise<Payload> {
    const input = await this.#encoded(request.input, "query", request.runId);
    return shown(this.#coder, await this.#port.query({ ...request, input }, limit));
  }

  async update(request: UpdateRequest, limit: CallLimit): Promise<UpdateEnd | undefined> {
    return this.#shownEnd(await this.#port.update(await this.#encodedUpdate(request), limit), request.name);
  }

  async signalWithStart({ start, signal, afterEnd }: SignalWithStartRequest, limit: CallLimit): Promise<boolean> {
    const encoded = { start: await this.#encodedStart(start), signal: await this.#encodedSignal(signal), afterEnd };
    return this.#port.signalWithStart(encoded, limit);
  }

  async updateWithStart(request: UpdateWithStartRequest, limit: CallLimit): Promise<UpdateEnd | undefined> {
    const { update } = request;
    const encoded = { start: await this.#encodedStart(request.start), update: await this.#encodedUpdate(update) };
    return this.#shownEnd(await this.#port.updateWithStart({ ...request, ...encoded }, limit), update.name);
  }

  async answer({ token, answer }: AnswerRequest, limit: CallLimit): Promise<void> {
    if (answer.is === "value") {
      const value = await this.#encoded(answer.value, "answer", undefined, true);
      await this.#port.answer({ token, answer: { is: "value", value } }, limit);
      return;
    }
    const failure = await sealedFailure(this.#coder, answer.failure, undefined);
    await this.#port.answer({ token, answer: { is: "failure", failure } }, limit);
  }

  queues(name: string | undefined, limit: CallLimit): Promise<readonly QueueInfo[]> {
    return this.#port.queues(name, limit);
  }

  pausedTypes(limit: CallLimit): Promise<readonly PausedType[]> {
    return this.#port.pausedTypes(limit);
  }

  audit(query: AuditQuery, page: PageRequest, limit: CallLimit): Promise<AuditPage> {
    return this.#port.audit(query, page, limit);
  }

  async #encodedStart(request: StartRequest): Promise<StartRequest> {
    return { ...request, input: await this.#encoded(request.input, "input", request.runId, true) };
  }

  async #encodedSignal(request: SignalRequest): Promise<SignalRequest> {
    return { ...request, payload: await this.#encoded(request.payload, "signal", request.runId) };
  }

  async #encodedUpdate(request: UpdateRequest): Promise<UpdateRequest> {
    return { ...request, input: await this.#encoded(request.input, "update", request.runId, true) };
  }

  /** CO1. */
  async #encoded(
    { bytes, what }: Payload,
    kind: PayloadKind,
    runId: string | undefined,
    isCompared = false,
  ): Promise<Payload> {
    return Payload.ofBytes(await this.#coder.encode(bytes, { kind, runId, what, isCompared }), what);
  }

  async #shownStep(step: StepInProgress): Promise<StepInProgress> {
    const error = await shownError(this.#coder, step.error, `step ${step.path}`);
    return { ...step, error, heartbeat: await shown(this.#coder, step.heartbeat) };
  }

  async #shownEnd(end: UpdateEnd | undefined, name: string): Promise<UpdateEnd | undefined> {
    if (end?.status === "completed") return { ...end, answer: await shown(this.#coder, end.answer) };
    if (end?.status === "failed")
      return { ...end, failure: await shownError(this.#coder, end.failure, `the failure of update ${name}`) };
    return end;
  }
}
