/** A node that answers from memory (served by fake-server.ts): for tests of services, client and command line. */
import { type NodeId, platformClock } from "@raftoral/raft-core";
import { attributeValues, WorkflowError } from "@raftoral/workflow";
import type { CallLimit } from "../api/call-options.ts";
import { CheckedWorkflows } from "../api/checked-workflows.ts";
import { CheckedCluster } from "../api/cluster/checked-cluster.ts";
import type { MemberInfo, NodeStatus } from "../api/cluster/cluster.ts";
import type { ClusterRunEvent, EventPage, EventRequest } from "../api/events.ts";
import { Payload } from "../api/payloads/payload.ts";
import {
  type EndedRun,
  type HistoryPage,
  hasEnded,
  type PendingCall,
  type RunCount,
  type RunPage,
} from "../api/runs.ts";
import type { StreamPage, StreamRequest } from "../api/streams.ts";
import type { AnswerRequest } from "../api/tokens.ts";
import type { UpdateEnd } from "../api/updates/updates.ts";
import type { VariablePage } from "../api/variables.ts";
import type {
  CheckedFilter,
  PageRequest,
  QueryRequest,
  SignalRequest,
  StartRequest,
  UpdateRequest,
  UpdateWithStartRequest,
  WorkflowsPort,
} from "../api/workflows-port.ts";
import type { Admission, Newcomer, ServedNode } from "../service/served-node.ts";
import { fakeCluster } from "./fake-cluster.ts";
import { FakeLocks } from "./fake-locks.ts";
import { FakeOperations } from "./fake-operations.ts";
import { FakeQueues } from "./fake-queues.ts";
import { type FakeRun, failed, run } from "./fake-run.ts";
import { FakeSchedules } from "./fake-schedules.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** A node whose runs, signals and answers a test sets. */
export class FakeNode implements ServedNode {
  readonly nodeId = 1;
  readonly clusterId = "fake-000000000000";
  readonly runs = new Map<string, FakeRun>();
  readonly signals: unknown[][] = [];
  readonly updates: unknown[][] = [];
  /** Filters of lists, in order. */
  readonly filters: CheckedFilter[] = [];
  /** Tokens with what they were answered with. */
  readonly answers: unknown[][] = [];
  /** Values of chunks, by the name of their stream. */
  readonly chunks = new Map<string, readonly unknown[]>();
  /** What happened: positions are "1", "2", ... */
  events: readonly ClusterRunEvent[] = [];
  /** Values of variables by their names, by the id of their run. */
  readonly variables = new Map<string, Readonly<Record<string, unknown>>>();
  /** Every call, by name, with its timeout. */
  readonly calls: { readonly name: string; readonly timeoutMs: number }[] = [];
  /** Thrown by every call while it is set. */
  failure: Error | undefined;
  /** Awaited by every call before it answers, with its name. */
  before: (name: string) => Promise<void> = async () => {};
  /** What every run waits for, beside its steps. */
  readonly waits: PendingCall[] = [];
  /** What operators have done, and what tests set of that. */
  readonly operator: FakeOperations;
  /** Signals of the reads of streams, and of the polls, that came in. */
  readonly reads: (AbortSignal | undefined)[] = [];
  readonly polls: (AbortSignal | undefined)[] = [];
  readonly queues = new FakeQueues();
  known: MemberInfo[] = [];
  transfers: NodeStatus["transfers"] = [];
  /** What its status says otherwise than usual. */
  shown: Partial<NodeStatus> = {};
  readonly schedules = new FakeSchedules();
  readonly locks = new FakeLocks();
  readonly workflows: CheckedWorkflows;
  readonly cluster: CheckedCluster;

  constructor() {
    let count = 0;
    const uuid = () => `chosen-by-the-node-${++count}`;
    const { runs, schedules, queues, locks } = this;
    const enter = (name: string, limit: CallLimit): Promise<void> => this.#enter(name, limit);
    this.operator = new FakeOperations({ runs, schedules, queues, locks, enter });
    const [port, operations] = [this.#workflows(), this.operator];
    this.workflows = new CheckedWorkflows({
      port,
      operations,
      timeoutMs: DEFAULT_TIMEOUT_MS,
      uuid,
      clock: platformClock,
    });
    this.cluster = new CheckedCluster(
      fakeCluster(this, (name, limit) => this.#enter(name, limit)),
      DEFAULT_TIMEOUT_MS,
    );
  }

  /** What was done to runs: the run, the action, and why. */
  get mends(): FakeOperations["mends"] {
    return this.operator.mends;
  }

  workflowsOf(): CheckedWorkflows {
    return this.workflows;
  }

  clearWorkflowsOf(): CheckedWorkflows {
    return this.workflows;
  }

  clusterOf(): CheckedCluster {
    return this.cluster;
  }

  operationsOf(): FakeOperations {
    return this.operator;
  }

  async pollRun(runId: string, limit: CallLimit): Promise<EndedRun | undefined> {
    this.polls.push(limit.signal);
    await this.#enter("pollRun", limit);
    return endedOf(this.#present(runId));
  }

  async queryRun({ runId, name, input }: QueryRequest, limit: CallLimit): Promise<Payload> {
    await this.#enter("query", limit);
    this.#present(runId);
    return Payload.of({ [name]: input.value() ?? null }, "an answer");
  }

  async updateRun(
    { runId, name, input, updateId, until }: UpdateRequest,
    limit: CallLimit,
  ): Promise<UpdateEnd | undefined> {
    await this.#enter("update", limit);
    this.#present(runId);
    this.updates.push([runId, name, input.value(), updateId]);
    if (until === "accepted") return { status: "accepted" };
    return { status: "completed", answer: Payload.of({ [name]: input.value() ?? null }, "an answer") };
  }

  async updateWithStart({ start, update }: UpdateWithStartRequest, limit: CallLimit): Promise<UpdateEnd | undefined> {
    this.#startOnce(start);
    return this.updateRun(update, limit);
  }

  async *readStream({ runId, stream, from = 0 }: StreamRequest, limit: CallLimit): AsyncGenerator<StreamPage> {
    this.reads.push(limit.signal);
    await this.#enter("readStream", { ...limit, timeoutMs: 0 });
    this.#present(runId);
    for (const [at, chunk] of (this.chunks.get(stream) ?? []).slice(from).entries()) {
      yield [{ offset: from + at, value: Payload.of(chunk, "a chunk"), epoch: 1 }];
      await this.before("chunk");
    }
  }

  async *readEvents({ after, runId }: EventRequest, limit: CallLimit): AsyncGenerator<EventPage> {
    await this.#enter("readEvents", { ...limit, timeoutMs: 0 });
    let next = after ?? "0";
    yield { events: [], next };
    for (const event of this.events.slice(Number(next))) {
      next = event.position;
      yield { events: runId === undefined || ("runId" in event && event.runId === runId) ? [event] : [], next };
      await this.before("event");
    }
  }

  members(): readonly MemberInfo[] {
    return this.known;
  }

  async admit({ address, clusterName }: Newcomer, limit: CallLimit): Promise<Admission> {
    await this.#enter("admit", limit);
    return {
      clusterId: `${clusterName}-1`,
      nodeId: 4,
      members: [{ nodeId: 4, address, voter: false, match: 0, recentlyActive: false }],
    };
  }

  async readdress(_nodeId: NodeId, _address: string, limit: CallLimit): Promise<readonly MemberInfo[]> {
    await this.#enter("readdress", limit);
    return this.known;
  }

  #workflows(): WorkflowsPort {
    return {
      locks: this.locks,
      start: async (request: StartRequest, limit) => {
        await this.#enter("start", limit);
        return { runId: request.runId, created: this.#startOnce(request) };
      },
      ...this.queues.port((name, limit) => this.#enter(name, limit)),
      describe: async (runId, limit) => {
        await this.#enter("describe", limit);
        const { input: _input, result: _result, history: _history, ...description } = this.#present(runId);
        return description;
      },
      list: async (filter: CheckedFilter, page: PageRequest, limit): Promise<RunPage> => {
        await this.#enter("list", limit);
        this.filters.push(filter);
        const all = [...this.runs.values()].filter(({ status }) => filter.statuses?.includes(status) ?? true);
        const { entries, nextPageToken } = pageOf(all, page);
        return { runs: entries, nextPageToken };
      },
      counts: async (limit): Promise<readonly RunCount[]> => {
        await this.#enter("counts", limit);
        const counts = new Map<string, RunCount>();
        for (const { workflowType, status } of this.runs.values()) {
          const runs = (counts.get(`${workflowType} ${status}`)?.runs ?? 0) + 1;
          counts.set(`${workflowType} ${status}`, { workflowType, status, runs });
        }
        return [...counts.values()];
      },
      history: async (runId, page, limit): Promise<HistoryPage> => {
        await this.#enter("history", limit);
        const { entries, nextPageToken } = pageOf(this.#present(runId).history, page);
        const records = entries.map((record) => ({ ...record, value: Payload.of(record.value, record.path) }));
        return { records, nextPageToken };
      },
      variables: async (runId, name, page, limit): Promise<VariablePage> => {
        await this.#enter("variables", limit);
        this.#present(runId);
        const all = Object.entries(this.variables.get(runId) ?? {}).map(([each, value]) => {
          return { name: each, value: Payload.of(value, each), recordedAtMs: 1_000 };
        });
        const { entries, nextPageToken } = pageOf(
          all.filter((each) => name === undefined || each.name === name),
          page,
        );
        return { variables: entries, nextPageToken };
      },
      input: async (runId, limit) => {
        await this.#enter("input", limit);
        return Payload.of(this.#present(runId).input, "the input");
      },
      wait: async (runId, limit) => this.pollRun(runId, limit),
      stream: (request, limit) => this.readStream(request, limit),
      events: (request, limit) => this.readEvents(request, limit),
      signal: async ({ runId, name, payload, signalId }: SignalRequest, limit) => {
        await this.#enter("signal", limit);
        this.#present(runId);
        this.signals.push([runId, name, payload.value(), signalId]);
      },
      pending: async (runId, limit) => {
        await this.#enter("pending", limit);
        const { status, stepsInProgress } = this.#present(runId);
        if (hasEnded(status)) return [];
        const steps = stepsInProgress.map((step) => ({ kind: "step", path: step.path, untilMs: undefined, step }));
        return [...steps, ...this.waits];
      },
      query: async (request, limit) => this.queryRun(request, limit),
      update: async (request, limit) => this.updateRun(request, limit),
      updateWithStart: async (request, limit) => this.updateWithStart(request, limit),
      signalWithStart: async ({ start, signal }, limit) => {
        await this.#enter("signalWithStart", limit);
        const created = this.#startOnce(start);
        this.signals.push([signal.runId, signal.name, signal.payload.value(), signal.signalId]);
        return created;
      },
      answer: async (request: AnswerRequest, limit) => {
        await this.#enter("answer", limit);
        const { token, answer } = request;
        this.answers.push([token, answer.is === "value" ? answer.value.value() : answer.failure]);
      },
      pausedTypes: async () => this.operator.pausedTypes,
      audit: async () => ({ entries: this.operator.entries, nextPageToken: undefined }),
    };
  }

  #startOnce({ runId, workflowType, version = 1, input, attributes: given, queue }: StartRequest): boolean {
    const created = !this.runs.has(runId);
    this.queues.begun(queue);
    if (created)
      this.runs.set(
        runId,
        run(runId, { workflowType, version, input: input.value(), attributes: attributeValues(given) }),
      );
    return created;
  }

  #present(runId: string): FakeRun {
    const found = this.runs.get(runId);
    if (found !== undefined) return found;
    throw new WorkflowError("WORKFLOW_NOT_FOUND", `There is no run ${runId}.`);
  }

  async #enter(name: string, { timeoutMs }: CallLimit): Promise<void> {
    this.calls.push({ name, timeoutMs });
    await this.before(name);
    if (this.failure !== undefined) throw this.failure;
  }
}

function endedOf({ runId, workflowType, endedAtMs = 0, ...run }: FakeRun): EndedRun | undefined {
  const common = { runId, workflowType, endedAtMs };
  switch (run.status) {
    case "running":
    case "stuck":
    case "paused":
    case "delayed":
      return undefined;
    case "completed":
      return { ...common, status: "completed", result: Payload.of(run.result, `the result of run ${runId}`) };
    case "failed":
      return { ...common, status: "failed", error: run.error ?? failed("Error", "no reason given") };
    case "cancelled":
      return { ...common, status: "cancelled", reason: run.cancelReason ?? "" };
  }
}

function pageOf<T>(
  all: readonly T[],
  { pageSize, pageToken = "0" }: PageRequest,
): { readonly entries: readonly T[]; readonly nextPageToken: string | undefined } {
  const from = Number(pageToken);
  const end = from + pageSize;
  return { entries: all.slice(from, end), nextPageToken: end < all.length ? String(end) : undefined };
}
