/**
 * The API to a test cluster: each call goes to a node that is up, to another one when that node dies or is cut off, and moves virtual time until it
 * settles.
 *
 * C1. A call is made once more only where the node that had it does not answer any more: as a client with the addresses of all nodes would.
 */
import { RaftoralError } from "@raftoral/raft-core";
import type { CallLimit } from "../../api/call-options.ts";
import type { ClusterRunEvent, EventPage, EventRequest } from "../../api/events.ts";
import { filterOf } from "../../api/finding/run-filter.ts";
import type { LockChangeRequest, LocksPort } from "../../api/locks/locks-port.ts";
import { mended } from "../../api/mending/mended.ts";
import type { ForkRequest, MendRequest } from "../../api/mending/mending.ts";
import type { AuditPage, BulkPiece, DeletedRun, PausedType } from "../../api/operations/operations.ts";
import type {
  BulkRequest,
  OperationsPort,
  PauseTypeRequest,
  QueueRequest,
  RunRequest,
  SetVariableRequest,
} from "../../api/operations/operations-port.ts";
import { Payload } from "../../api/payloads/payload.ts";
import { changed } from "../../api/queues/changed.ts";
import type { QueueInfo } from "../../api/queues/queues.ts";
import type { EndedRun, HistoryPage, PendingCall, RunCount, RunDescription, RunPage } from "../../api/runs.ts";
import type { SchedulesPort } from "../../api/schedules/schedules-port.ts";
import type { StreamChunk, StreamPage, StreamRequest } from "../../api/streams.ts";
import type { AnswerRequest } from "../../api/tokens.ts";
import type { UpdateEnd } from "../../api/updates/updates.ts";
import type { VariablePage } from "../../api/variables.ts";
import type { Workflows } from "../../api/workflows.ts";
import type {
  AuditQuery,
  CheckedFilter,
  PageRequest,
  QueryRequest,
  SignalRequest,
  SignalWithStartRequest,
  StartedRun,
  StartRequest,
  UpdateRequest,
  UpdateWithStartRequest,
  WorkflowsPort,
} from "../../api/workflows-port.ts";
import type { TestTime } from "../time/test-time.ts";
import { objectCalled, options, pageOptions, startOf, updateEnd } from "./call-arguments.ts";
import { locksPort } from "./locks-port.ts";
import { schedulesPort } from "./schedules-port.ts";
import type { TestNode } from "./test-node.ts";

/** What {@link ClusterPort} needs of the cluster. */
export interface ClusterPortSetting {
  readonly time: TestTime;
  /** Nodes to ask, the preferred one first. */
  readonly nodes: () => readonly TestNode[];
  /** Resolves when a node is up. */
  readonly untilUp: () => Promise<void>;
  /** Holds a signal or an update back, as a slow network would. */
  readonly delaySignal: (request: SignalRequest | UpdateRequest) => Promise<void>;
}

/** What a node says that is about to be gone, or cannot reach the others. */
const ASK_ANOTHER: ReadonlySet<string> = new Set(["NODE_STOPPED", "NODE_FAILED"]);

/** The port of the API to a whole {@link TestCluster} (C1). */
export class ClusterPort implements WorkflowsPort, OperationsPort {
  readonly schedules: SchedulesPort;
  readonly locks: LocksPort;
  readonly #setting: ClusterPortSetting;

  constructor(setting: ClusterPortSetting) {
    this.#setting = setting;
    this.locks = locksPort({ call: (ask) => this.#call((workflows) => ask(workflows.locks)) });
    this.schedules = schedulesPort({ call: (ask) => this.#call((workflows) => ask(workflows.schedules)), options });
  }

  start(request: StartRequest, limit: CallLimit): Promise<StartedRun> {
    const { workflow, input, start } = startOf(request);
    return this.#call(async (workflows) => {
      const { runId, created } = await workflows.start(workflow, input, { ...start, ...options(limit) });
      return { runId, created: created === true };
    });
  }

  queues(name: string | undefined, limit: CallLimit): Promise<readonly QueueInfo[]> {
    return this.#call(async ({ queues }) => {
      if (name === undefined) return queues.list(options(limit));
      const queue = await queues.get(name, options(limit));
      return queue === undefined ? [] : [queue];
    });
  }

  changeQueue({ name, change, reason }: QueueRequest, limit: CallLimit): Promise<void> {
    return this.#call(({ queues }) => changed(queues, name, change, { reason, ...options(limit) }));
  }

  describe(runId: string, limit: CallLimit): Promise<RunDescription> {
    return this.#call((workflows) => workflows.describe(runId, options(limit)));
  }

  list(filter: CheckedFilter, page: PageRequest, limit: CallLimit): Promise<RunPage> {
    return this.#call((workflows) => workflows.listPage(filterOf(filter), { ...pageOptions(page), ...options(limit) }));
  }

  counts(limit: CallLimit): Promise<readonly RunCount[]> {
    return this.#call((workflows) => workflows.counts(options(limit)));
  }

  history(runId: string, page: PageRequest, limit: CallLimit): Promise<HistoryPage> {
    return this.#call((workflows) => workflows.historyPage(runId, { ...pageOptions(page), ...options(limit) }));
  }

  variables(runId: string, name: string | undefined, page: PageRequest, limit: CallLimit): Promise<VariablePage> {
    const named = name === undefined ? {} : { name };
    return this.#call((workflows) =>
      workflows.variablesPage(runId, { ...named, ...pageOptions(page), ...options(limit) }),
    );
  }

  input(runId: string, limit: CallLimit): Promise<Payload> {
    return this.#call((workflows) => workflows.input(runId, options(limit)));
  }

  async *stream(request: StreamRequest, limit: CallLimit): AsyncGenerator<StreamPage, void, undefined> {
    const { runId, stream, follow } = request;
    let { from } = request;
    let asked: Workflows | undefined;
    let chunks: AsyncIterator<StreamChunk> | undefined;
    try {
      for (;;) {
        const next = await this.#call(async (workflows) => {
          if (chunks === undefined || asked !== workflows) {
            asked = workflows;
            const first = from === undefined ? {} : { from };
            chunks = workflows.stream(runId, stream, { follow, ...first, ...options(limit) })[Symbol.asyncIterator]();
          }
          return chunks.next();
        });
        if (next.done === true) return;
        const { value, ...chunk } = next.value;
        from = chunk.offset + 1;
        yield [{ ...chunk, value: Payload.of(value, `chunk ${chunk.offset} of stream ${stream}`) }];
      }
    } finally {
      chunks?.return?.().catch(() => {});
    }
  }

  async *events(request: EventRequest, limit: CallLimit): AsyncGenerator<EventPage, void, undefined> {
    const { after: begin, ...wanted } = request;
    let after = begin;
    let asked: Workflows | undefined;
    let events: AsyncIterator<ClusterRunEvent> | undefined;
    try {
      for (;;) {
        const next = await this.#call(async (workflows) => {
          if (events === undefined || asked !== workflows) {
            asked = workflows;
            const place = after === undefined ? {} : { after };
            events = workflows.events({ ...wanted, ...place, ...options(limit) })[Symbol.asyncIterator]();
          }
          return events.next();
        });
        if (next.done === true) return;
        after = next.value.position;
        yield { events: [next.value], next: after };
      }
    } finally {
      events?.return?.().catch(() => {});
    }
  }

  async wait(runId: string, limit: CallLimit): Promise<EndedRun | undefined> {
    try {
      return await this.#call((workflows) => workflows.wait(runId, options(limit)));
    } catch (error) {
      if (
        error instanceof RaftoralError &&
        error.code === "DEADLINE_EXCEEDED" &&
        limit.timeoutMs !== Number.POSITIVE_INFINITY
      ) {
        return undefined;
      }
      throw error;
    }
  }

  signal(request: SignalRequest, limit: CallLimit): Promise<void> {
    const { runId, name, payload, signalId } = request;
    return this.#setting.time.drive(
      this.#setting
        .delaySignal(request)
        .then(() =>
          this.#attempt((workflows) => workflows.signal(runId, name, payload, { signalId, ...options(limit) })),
        ),
    );
  }

  resume({ runId, reason }: RunRequest, limit: CallLimit): Promise<void> {
    return this.#call((workflows) => workflows.resume(runId, { reason, ...options(limit) }));
  }

  fork({ source, from, input, ...fork }: ForkRequest, limit: CallLimit): Promise<void> {
    const given = { ...(from === undefined ? {} : { from }), ...(input === undefined ? {} : { input }) };
    return this.#call(async (workflows) => {
      await workflows.fork(source, { ...fork, ...given, ...options(limit) });
    });
  }

  mend({ runId, action, reason, requestId }: MendRequest, limit: CallLimit): Promise<void> {
    return this.#call((workflows) => mended(workflows, runId, action, { reason, requestId, ...options(limit) }));
  }

  async query({ runId, name, input }: QueryRequest, limit: CallLimit): Promise<Payload> {
    const answer = await this.#call((workflows) => workflows.query(runId, name, input, options(limit)));
    return Payload.of(answer, `the answer to query ${name}`);
  }

  pending(runId: string, limit: CallLimit): Promise<readonly PendingCall[]> {
    return this.#call((workflows) => workflows.pending(runId, options(limit)));
  }

  update(request: UpdateRequest, limit: CallLimit): Promise<UpdateEnd | undefined> {
    const { runId, name, input, updateId: id, until } = request;
    const ask = (workflows: Workflows): Promise<UpdateEnd | undefined> =>
      updateEnd(name, limit, async () => {
        if (until === "completed") {
          return { answer: await workflows.update(runId, name, input, { id, ...options(limit) }) };
        }
        await workflows.startUpdate(runId, name, input, { id, ...options(limit) });
        return undefined;
      });
    const { time, delaySignal } = this.#setting;
    return time.drive(delaySignal(request).then(() => this.#attempt(ask)));
  }

  signalWithStart({ start: given, signal, afterEnd }: SignalWithStartRequest, limit: CallLimit): Promise<boolean> {
    const { workflow, input, start } = startOf(given);
    const { name, payload, signalId } = signal;
    const more = { ...start, ifFinished: afterEnd ? "start" : "refuse", signalId } as const;
    return this.#call(async (workflows) => {
      const run = await workflows.signalWithStart(workflow, input, name, payload, { ...more, ...options(limit) });
      return run.created === true;
    });
  }

  updateWithStart(
    { start: given, update, afterEnd, isObject }: UpdateWithStartRequest,
    limit: CallLimit,
  ): Promise<UpdateEnd | undefined> {
    if (isObject) return this.#call((workflows) => objectCalled(workflows, given, update, limit));
    const { workflow, input, start } = startOf(given);
    const { name, input: updateInput, updateId: id, until } = update;
    const more = { ...start, ifFinished: afterEnd ? "start" : "refuse", id, ...options(limit) } as const;
    return this.#call((workflows) =>
      updateEnd(name, limit, async () => {
        if (until === "completed") {
          return { answer: await workflows.updateWithStart(workflow, input, name, updateInput, more) };
        }
        await workflows.startUpdateWithStart(workflow, input, name, updateInput, more);
        return undefined;
      }),
    );
  }

  answer({ token, answer }: AnswerRequest, limit: CallLimit): Promise<void> {
    return this.#call((workflows) =>
      answer.is === "value"
        ? workflows.answer(token, answer.value, options(limit))
        : workflows.fail(token, answer.failure, options(limit)),
    );
  }

  cancel({ runId, reason }: RunRequest, limit: CallLimit): Promise<void> {
    return this.#call((workflows) => workflows.cancel(runId, { reason, ...options(limit) }));
  }

  delete({ runId, reason }: RunRequest, limit: CallLimit): Promise<DeletedRun> {
    return this.#call((workflows) => workflows.delete(runId, { reason, ...options(limit) }));
  }

  async setVariable(request: SetVariableRequest, limit: CallLimit): Promise<boolean> {
    const { runId, variable, value, requestId, reason } = request;
    try {
      await this.#call((workflows) =>
        workflows.setVariable(runId, variable, value, { requestId, reason, ...options(limit) }),
      );
      return true;
    } catch (error) {
      const isLate = error instanceof RaftoralError && error.code === "DEADLINE_EXCEEDED";
      if (isLate && limit.timeoutMs !== Number.POSITIVE_INFINITY) return false;
      throw error;
    }
  }

  pauseType({ workflowType, isPaused, reason }: PauseTypeRequest, limit: CallLimit): Promise<void> {
    const given = { reason, ...options(limit) };
    return this.#call((workflows) =>
      isPaused ? workflows.pauseType(workflowType, given) : workflows.resumeType(workflowType, given),
    );
  }

  mendPiece({ filter, action, isDry, page, reason, requestId }: BulkRequest, limit: CallLimit): Promise<BulkPiece> {
    const { pageSize, pageToken } = page;
    const place = pageToken === undefined ? {} : { position: pageToken };
    const given = { dryRun: isDry, pieceSize: pageSize, ...place, reason, requestId, ...options(limit) };
    return this.#call(async (workflows) => {
      for await (const piece of workflows.mendAll(filterOf(filter), action, given)) return piece;
      return { runs: [], position: undefined };
    });
  }

  changeLock({ name, change, reason }: LockChangeRequest, limit: CallLimit): Promise<void> {
    const given = { reason, ...options(limit) };
    return this.#call(({ locks }) => {
      if (change.kind === "release") return locks.forceRelease(name, change.token, given);
      return change.kind === "define" ? locks.define(name, change.limits, given) : locks.delete(name, given);
    });
  }

  pausedTypes(limit: CallLimit): Promise<readonly PausedType[]> {
    return this.#call((workflows) => workflows.pausedTypes(options(limit)));
  }

  audit({ subject, by }: AuditQuery, page: PageRequest, limit: CallLimit): Promise<AuditPage> {
    const given = { ...(subject === undefined ? {} : { subject }), ...(by === undefined ? {} : { by }) };
    return this.#call((workflows) => workflows.auditPage({ ...given, ...pageOptions(page), ...options(limit) }));
  }

  #call<T>(call: (workflows: Workflows) => Promise<T>): Promise<T> {
    return this.#setting.time.drive(this.#attempt(call));
  }

  async #attempt<T>(call: (workflows: Workflows) => Promise<T>): Promise<T> {
    const stopping: Promise<void>[] = [];
    await this.#setting.untilUp();
    for (const node of this.#setting.nodes()) {
      if (node.status !== "up") continue;
      // Of this process: the node may have another one when the call comes back to it.
      const { silent } = node;
      const gone = silent.then((): "gone" => "gone");
      try {
        const answer = await Promise.race([call(node.node.workflows).then((value) => ({ value })), gone]);
        if (answer !== "gone") return answer.value;
      } catch (error) {
        if (!(error instanceof RaftoralError) || !ASK_ANOTHER.has(error.code)) throw error;
        stopping.push(silent);
      }
    }
    // All nodes have ended during the call, or are about to. The cluster may have others by then.
    await Promise.all(stopping);
    return this.#attempt(call);
  }
}
