/** The calls of {@link Workflows} that send a message and may wait for its answer: updates, and messages that start their run. */
import { RaftError, RaftoralError } from "@raftoral/raft-core";
import { shownUpdateName, UpdateFailedError, updateInputOf } from "@raftoral/workflow";
import {
  afterEndArgument,
  limitArgument,
  optionsArgument,
  runIdArgument,
  updateArgument,
  updateIdArgument,
} from "../arguments.ts";
import { abortable, type CallLimit, type CallOptions } from "../call-options.ts";
import { Payload } from "../payloads/payload.ts";
import { assertFits } from "../payloads/validated-payload.ts";
import { type Chosen, startRequest } from "../starts/start-request.ts";
import type { WorkflowName } from "../workflows.ts";
import type { UpdateRequest, WorkflowsPort } from "../workflows-port.ts";
import type { AcceptedUpdate, UpdateEnd, UpdateOptions, UpdateWithStartOptions } from "./updates.ts";

/** An update as a caller names it. */
interface Asked {
  readonly runId: unknown;
  readonly update: unknown;
  readonly input: unknown;
  readonly options: UpdateOptions | undefined;
}

/** An update whose run is started for it if there is none. */
export interface AskedWithStart {
  readonly workflow: WorkflowName;
  readonly input: unknown;
  readonly update: unknown;
  readonly updateInput: unknown;
  readonly options: UpdateWithStartOptions;
  /** Whether the run is an object that is called; not by default. */
  readonly isObject?: boolean;
}

/** Updates over a {@link WorkflowsPort}. */
export class CheckedUpdates {
  readonly #port: WorkflowsPort;
  readonly #chosen: Chosen;

  constructor(port: WorkflowsPort, chosen: Chosen) {
    this.#port = port;
    this.#chosen = chosen;
  }

  /** The answer. */
  async update(asked: Asked): Promise<unknown> {
    const request = await this.#request(asked, "completed");
    return answerOf(request, await this.#waited(request, asked.options));
  }

  /** Resolves once the update is accepted. */
  async accepted(asked: Asked): Promise<AcceptedUpdate> {
    const request = await this.#request(asked, "accepted");
    return this.#acceptedUpdate(request, await this.#waited(request, asked.options));
  }

  #acceptedUpdate(request: UpdateRequest, end: UpdateEnd): AcceptedUpdate {
    // An update that has failed by now was accepted, too.
    if (end.status === "failed") answerOf(request, end);
    const { runId, updateId: id } = request;
    const result = async (options?: CallOptions): Promise<unknown> => {
      const again = { ...request, until: "completed" } as const;
      return answerOf(again, await this.#waited(again, options));
    };
    return { runId, id, result };
  }

  /** The answer of an update whose run is started for it if there is none. */
  async withStart(asked: AskedWithStart): Promise<unknown> {
    const { request, end } = await this.#withStart(asked, "completed");
    return answerOf(request, end);
  }

  /** As {@link withStart}, but resolves once the update is accepted. */
  async acceptedWithStart(asked: AskedWithStart): Promise<AcceptedUpdate> {
    const { request, end } = await this.#withStart(asked, "accepted");
    return this.#acceptedUpdate(request, end);
  }

  async #withStart(
    { workflow, input, update, updateInput, options, isObject = false }: AskedWithStart,
    until: UpdateRequest["until"],
  ): Promise<{ readonly request: UpdateRequest; readonly end: UpdateEnd }> {
    runIdArgument(optionsArgument(options).runId);
    const start = await startRequest(workflow, input, options, this.#chosen);
    const request = await this.#request({ runId: start.runId, update, input: updateInput, options }, until);
    const afterEnd = afterEndArgument(options);
    const limit = limitArgument(options, Number.POSITIVE_INFINITY);
    const end = await waited(request, limit, () =>
      this.#port.updateWithStart({ start, update: request, afterEnd, isObject }, limit),
    );
    return { request, end };
  }

  async #request({ runId, update, input, options }: Asked, until: UpdateRequest["until"]): Promise<UpdateRequest> {
    const id = runIdArgument(runId);
    const { name, schema } = updateArgument(update);
    const payload = Payload.of(input, `the input of update ${name}`);
    if (schema !== undefined) await assertFits(schema, payload, updateInputOf(name));
    const updateId = updateIdArgument(optionsArgument(options).id) ?? this.#chosen.uuid();
    return { runId: id, name, input: payload, updateId, until };
  }

  async #waited(request: UpdateRequest, options: CallOptions | undefined): Promise<UpdateEnd> {
    const limit = limitArgument(options, Number.POSITIVE_INFINITY);
    return waited(request, limit, () => this.#port.update(request, limit));
  }
}

/** How the update stands when it was asked for. Rejects with DEADLINE_EXCEEDED and the update's id when the time is over, wherever that was noticed. */
async function waited(
  request: UpdateRequest,
  limit: CallLimit,
  ask: () => Promise<UpdateEnd | undefined>,
): Promise<UpdateEnd> {
  const asked = async (): Promise<UpdateEnd | undefined> => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof RaftoralError && error.code === "DEADLINE_EXCEEDED") return undefined;
      throw error;
    }
  };
  const end = await abortable(limit, `Updating run ${request.runId}`, asked);
  return end ?? notInTime(request, limit.timeoutMs);
}

function notInTime({ runId, name, updateId }: UpdateRequest, timeoutMs: number): never {
  throw new RaftError(
    "DEADLINE_EXCEEDED",
    `Update ${shownUpdateName(name)} of run ${runId} was not answered within ${timeoutMs} ms, and may go on. Ask again with the id ${updateId}: the same id is executed once.`,
    { retryable: true, details: { runId, updateId, timeoutMs } },
  );
}

function answerOf({ runId, name }: UpdateRequest, end: UpdateEnd): unknown {
  if (end.status === "failed") throw new UpdateFailedError(runId, name, end.failure);
  return end.status === "completed" ? end.answer.value() : undefined;
}
