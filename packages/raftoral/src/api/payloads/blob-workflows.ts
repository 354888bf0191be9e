/**
 * {@link WorkflowsPort} of a node whose large values are blobs: what callers give is kept before anything is proposed, and what they ask for is read.
 *
 * BW1. A value that cannot be kept fails its call, and nothing is proposed. One that is too large is refused.
 * BW2. A result, an input, an answer and a variable that is asked for by name come with their bytes, or the call fails with BLOB_UNAVAILABLE.
 * BW3. A page has as many values as fit PAGE_BYTES, at least one, and those it has come with their bytes; where one cannot be read, its payload says so.
 * BW4. A reference that a client sends must name a blob that a member has: it is read and kept again before it is proposed.
 */
import { blobIn } from "@raftoral/workflow";
import type { CallLimit } from "../call-options.ts";
import type { EventPage, EventRequest } from "../events.ts";
import type { LocksPort } from "../locks/locks-port.ts";
import type { AuditPage, PausedType } from "../operations/operations.ts";
import type { PageRequest } from "../pages.ts";
import type { QueueInfo } from "../queues/queues.ts";
import type { EndedRun, HistoryPage, PendingCall, RunCount, RunDescription, RunPage } from "../runs.ts";
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
import type { BlobValues } from "./blob-values.ts";
import type { Payload } from "./payload.ts";

/** Bytes of blobs in one page, unless its only value has more. */
const PAGE_BYTES = 16 * 1024 * 1024;

/** A node's workflows with their large values in blobs (BW1 to BW4). */
export class BlobWorkflows implements WorkflowsPort {
  readonly locks: LocksPort;
  readonly #port: WorkflowsPort;
  readonly #values: BlobValues;

  constructor(port: WorkflowsPort, values: BlobValues) {
    this.#port = port;
    this.#values = values;
    this.locks = port.locks;
  }

  async start(request: StartRequest, limit: CallLimit): Promise<StartedRun> {
    return this.#port.start(await this.#keptStart(request), limit);
  }

  describe(runId: string, limit: CallLimit): Promise<RunDescription> {
    return this.#port.describe(runId, limit);
  }

  list(filter: CheckedFilter, page: PageRequest, limit: CallLimit): Promise<RunPage> {
    return this.#port.list(filter, page, limit);
  }

  counts(limit: CallLimit): Promise<readonly RunCount[]> {
    return this.#port.counts(limit);
  }

  async history(runId: string, page: PageRequest, limit: CallLimit): Promise<HistoryPage> {
    const read = await fitting(
      page,
      (some) => this.#port.history(runId, some, limit),
      ({ records }) => records.map(({ value }) => value),
    );
    const records: HistoryPage["records"][number][] = [];
    for (const record of read.records) records.push({ ...record, value: await this.#values.shown(record.value) });
    return { ...read, records };
  }

  async input(runId: string, limit: CallLimit): Promise<Payload> {
    return this.#values.read(await this.#port.input(runId, limit));
  }

  async variables(runId: string, name: string | undefined, page: PageRequest, limit: CallLimit): Promise<VariablePage> {
    const read = await fitting(
      page,
      (some) => this.#port.variables(runId, name, some, limit),
      ({ variables }) => variables.map(({ value }) => value),
    );
    const variables: VariablePage["variables"][number][] = [];
    for (const one of read.variables) {
      const value = name === undefined ? await this.#values.shown(one.value) : await this.#values.read(one.value);
      variables.push({ ...one, value });
    }
    return { ...read, variables };
  }

  stream(request: StreamRequest, limit: CallLimit): AsyncIterable<StreamPage> {
    return this.#port.stream(request, limit);
  }

  events(request: EventRequest, limit: CallLimit): AsyncIterable<EventPage> {
    return this.#port.events(request, limit);
  }

  async wait(runId: string, limit: CallLimit): Promise<EndedRun | undefined> {
    const ended = await this.#port.wait(runId, limit);
    return ended?.status === "completed" ? { ...ended, result: await this.#values.read(ended.result) } : ended;
  }

  async signal(request: SignalRequest, limit: CallLimit): Promise<void> {
    await this.#port.signal(await this.#keptSignal(request), limit);
  }

  pending(runId: string, limit: CallLimit): Promise<readonly PendingCall[]> {
    return this.#port.pending(runId, limit);
  }

  query(request: QueryRequest, limit: CallLimit): Promise<Payload> {
    return this.#port.query(request, limit);
  }

  async update(request: UpdateRequest, limit: CallLimit): Promise<UpdateEnd | undefined> {
    return this.#answered(await this.#port.update(await this.#keptUpdate(request), limit));
  }

  async signalWithStart({ start, signal, afterEnd }: SignalWithStartRequest, limit: CallLimit): Promise<boolean> {
    const kept = { start: await this.#keptStart(start), signal: await this.#keptSignal(signal), afterEnd };
    return this.#port.signalWithStart(kept, limit);
  }

  async updateWithStart(request: UpdateWithStartRequest, limit: CallLimit): Promise<UpdateEnd | undefined> {
    const kept = { start: await this.#keptStart(request.start), update: await this.#keptUpdate(request.update) };
    return this.#answered(await this.#port.updateWithStart({ ...request, ...kept }, limit));
  }

  async answer({ token, answer }: AnswerRequest, limit: CallLimit): Promise<void> {
    if (answer.is === "failure") return this.#port.answer({ token, answer }, limit);
    const value = await this.#values.kept(answer.value);
    return this.#port.answer({ token, answer: { is: "value", value } }, limit);
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

  async #keptStart(request: StartRequest): Promise<StartRequest> {
    return { ...request, input: await this.#values.kept(request.input) };
  }

  async #keptSignal(request: SignalRequest): Promise<SignalRequest> {
    return { ...request, payload: await this.#values.kept(request.payload) };
  }

  async #keptUpdate(request: UpdateRequest): Promise<UpdateRequest> {
    return { ...request, input: await this.#values.kept(request.input) };
  }

  async #answered(end: UpdateEnd | undefined): Promise<UpdateEnd | undefined> {
    return end?.status === "completed" ? { ...end, answer: await this.#values.read(end.answer) } : end;
  }
}

/** The page, read again with fewer entries when the blobs of those that it has are more than fit (BW3). */
async function fitting<Page>(
  page: PageRequest,
  read: (page: PageRequest) => Promise<Page>,
  payloadsOf: (page: Page) => readonly Payload[],
): Promise<Page> {
  const whole = await read(page);
  const payloads = payloadsOf(whole);
  let bytes = 0;
  const fits = payloads.findIndex((payload) => {
    bytes += blobIn(payload.bytes)?.length ?? 0;
    return bytes > PAGE_BYTES;
  });
  return fits === -1 || payloads.length === 1 ? whole : await read({ ...page, pageSize: Math.max(1, fits) });
}
