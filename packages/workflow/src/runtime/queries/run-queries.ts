/**
 * Queries of runs: answered by the body that runs here, or by one that is run again from the record and acts on nothing.
 *
 * RQ1. The run's owner answers from the live body, while that is in memory. Otherwise the node that is asked runs a body on the history, if it has the run's code, asks
 *      that body, and ends it: of runs of other nodes, of those that no node executes, of those whose bodies have left memory, and of those that have ended.
 * RQ2. A body that is run again proposes nothing, calls no step's function, writes no line and takes no slot of the node. It comes to rest where the record ends.
 * RQ3. So many bodies are run again at once on a node, and the others wait.
 */
import { type Clock, RaftError, silentLogger } from "@raftoral/raft-core";
import type { WorkflowRegistry } from "../../author/workflow.ts";
import { WorkflowError } from "../../errors.ts";
import { isEncoded } from "../../model/payload-envelope.ts";
import { readableRun, UnreadableValue } from "../../payloads/readable-run.ts";
import type { RequestLimit } from "../../requests/request-limit.ts";
import { runMissing } from "../../requests/run-missing.ts";
import type { RunView } from "../../state/runs/run-view.ts";
import type { PendingCall } from "../body/pending-calls.ts";
import type { WorkflowEngine } from "../engine/workflow-engine.ts";
import type { ExecutionShared, ExecutionStart } from "../execution/execution-shared.ts";
import { RunExecution } from "../execution/run-execution.ts";
import { Slots } from "../execution/slots.ts";
import { never } from "../history/history.ts";
import type { RuntimeInterceptor } from "../runtime-interceptor.ts";

/** Bodies that are run again at once (RQ3). */
const MAX_REPLAYS = 4;

/** A query of a run. */
export interface RunQuestion {
  readonly runId: string;
  readonly name: string;
  readonly input: Uint8Array;
}

/** A body that is asked. */
export type AskedBody = Pick<RunExecution, "queries" | "pending">;

/** What {@link RunQueries} is made of. */
export interface RunQueriesOptions {
  readonly engine: WorkflowEngine;
  readonly registry: WorkflowRegistry;
  readonly clock: Clock;
  readonly shared: ExecutionShared;
  /** The body that runs here, if one does. */
  readonly live: (runId: string) => AskedBody | undefined;
}

/** Calls no step's function. */
const HOLDS_STEPS: RuntimeInterceptor = {
  runBody: (_body, run) => run(),
  callBegins: () => {},
  callAnswered: () => {},
  foreignAwait: () => {},
  runStep: () => never(),
  runAside: (run) => run(),
};

/** Answers queries on one node (RQ1 to RQ3). */
export class RunQueries {
  readonly #options: RunQueriesOptions;
  readonly #replays = new Slots(MAX_REPLAYS);
  /** Ways to end the queries that are under way. */
  readonly #underWay = new Set<(error: Error) => void>();

  constructor(options: RunQueriesOptions) {
    this.#options = options;
  }

  /**
   * What the run's body answers, from what this node has applied. Rejects with WORKFLOW_NOT_FOUND, QUERY_UNKNOWN, QUERY_FAILED, QUERY_UNAVAILABLE when this node has
   * not the run's code, PAYLOAD_UNREADABLE when it has not the codecs of the run's values or of the question, DEADLINE_EXCEEDED or NODE_STOPPED.
   */
  async answer(question: RunQuestion, limit: RequestLimit): Promise<Uint8Array> {
    const { runId, name, input } = question;
    const late = (): RaftError => tooLate(question, limit.timeoutMs);
    const { payloads } = this.#options.shared;
    const given = isEncoded(input) ? await payloads.decode(input, `the input of query ${name}`) : input;
    const answer = await this.#asked(runId, ({ queries }) => queries.answer(name, given), late, limit);
    return payloads.isPlain
      ? answer
      : payloads.encode(answer, { kind: "query", runId, what: `the answer to query ${name}` });
  }

  /**
   * What the run's body waits for, from what this node has applied; nothing for a run that has ended. Rejects with WORKFLOW_NOT_FOUND, QUERY_UNAVAILABLE when this node
   * has not the run's code, DEADLINE_EXCEEDED or NODE_STOPPED.
   */
  async pending(runId: string, limit: RequestLimit): Promise<readonly PendingCall[]> {
    const end = await this.#options.engine.end(runId);
    if (end?.ended !== undefined) return [];
    const ask = ({ queries, pending }: AskedBody): Promise<readonly PendingCall[] | undefined> =>
      queries.atRest(pending);
    return this.#asked(runId, ask, () => tooLate({ runId, name: "what it waits for" }, limit.timeoutMs), limit);
  }

  async #asked<T>(
    runId: string,
    ask: (body: AskedBody) => Promise<T | undefined>,
    tooLateError: () => RaftError,
    { timeoutMs, signal }: RequestLimit,
  ): Promise<T> {
    const { clock } = this.#options;
    const { promise: over, reject } = Promise.withResolvers<never>();
    over.catch(() => {});
    this.#underWay.add(reject);
    const late = (): void => reject(tooLateError());
    const stop = timeoutMs === Number.POSITIVE_INFINITY ? () => {} : clock.after(timeoutMs, late);
    signal?.addEventListener("abort", late, { once: true });
    try {
      const live = this.#options.live(runId);
      const answer = live === undefined ? undefined : await Promise.race([ask(live), over]);
      return answer ?? (await this.#again(runId, ask, over));
    } finally {
      this.#underWay.delete(reject);
      stop();
      signal?.removeEventListener("abort", late);
    }
  }

  /** Every query that is under way rejects with `error`, and the bodies that are run again end. */
  close(error: Error): void {
    for (const reject of this.#underWay) reject(error);
  }

  async #again<T>(runId: string, ask: (body: AskedBody) => Promise<T | undefined>, over: Promise<never>): Promise<T> {
    await this.#turn(over);
    try {
      const { engine } = this.#options;
      const recorded = await Promise.race([engine.run(runId), over]);
      if (recorded === undefined) throw await runMissing(engine, runId);
      const execution = this.#execution(await Promise.race([this.#readable(recorded), over]));
      void execution.execute();
      try {
        const answer = await Promise.race([ask(execution), over]);
        return answer ?? (await over);
      } finally {
        execution.end("its query is answered");
      }
    } finally {
      this.#replays.release();
    }
  }

  /** Rejects with PAYLOAD_UNREADABLE or PAYLOAD_CODEC_FAILED. */
  async #readable(run: RunView): Promise<RunView> {
    try {
      return await readableRun(this.#options.shared.payloads, run);
    } catch (error) {
      throw error instanceof UnreadableValue ? error.cause : error;
    }
  }

  /** Waits for a place (RQ3). */
  async #turn(over: Promise<never>): Promise<void> {
    if (this.#replays.tryTake()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = this.#replays.enqueue(resolve);
    try {
      await Promise.race([promise, over]);
    } catch (error) {
      if (!leave()) this.#replays.release();
      throw error;
    }
  }

  #execution(run: RunView): RunExecution {
    const { registry, shared } = this.#options;
    const { runId, workflowType, version, history } = run;
    const definition = registry.get(workflowType, version);
    if (definition === undefined) {
      throw new WorkflowError(
        "QUERY_UNAVAILABLE",
        `Run ${runId} is of ${workflowType}@${version}, which node ${shared.nodeId} has not registered, so that it cannot answer for the run. Ask a node that has.`,
        { details: { runId, workflowType, version } },
      );
    }
    if (run.behaviourLevel > shared.behaviourLevel) {
      throw new WorkflowError(
        "QUERY_UNAVAILABLE",
        `Run ${runId} has behaviours of the engine up to ${run.behaviourLevel}, and node ${shared.nodeId} up to ${shared.behaviourLevel}, so that it cannot answer for the run. Ask a node of a newer release.`,
        { details: { runId, workflowType, version } },
      );
    }
    const slots = new Slots(1);
    slots.tryTake();
    // A body that has not heard of its cancellation has not by the record.
    const hasHeard = history.some(([, { kind }]) => kind === "cancellation");
    const cancelReason = hasHeard ? run.cancelReason : undefined;
    const nothing = { signals: [], keptSignals: [], updates: [], progress: [] };
    const start: ExecutionStart = { ...run, cancelReason, ...nothing };
    return new RunExecution(definition, start, {
      ...shared,
      slots,
      logger: silentLogger,
      proposer: { propose: () => never() },
      emit: () => {},
      probe: undefined,
      interceptor: HOLDS_STEPS,
      isAgain: true,
    });
  }
}

function tooLate({ runId, name }: Pick<RunQuestion, "runId" | "name">, timeoutMs: number): RaftError {
  return new RaftError(
    "DEADLINE_EXCEEDED",
    `Query ${name} of run ${runId} was not answered within ${timeoutMs} ms. Allow more time for a long history, or look whether the code fits it.`,
    { retryable: true, details: { runId, query: name, timeoutMs } },
  );
}
