/**
 * Handles of objects, over any implementation of the API.
 *
 * OH1. A call is an update that starts its run. Where the run of the object ends meanwhile without having accepted the call, it is made again under the same id, which
 *      starts the run again.
 * OH2. An object that does not exist is not begun for what would change nothing: deletion, renewal and reads.
 */
import { RaftoralError } from "@raftoral/raft-core";
import {
  DELETE_UPDATE,
  durationMs,
  type HandlerAnswer,
  type HandlerGiven,
  type HandlerName,
  isObjectDefinition,
  OBJECT_RECORD,
  type ObjectHandler,
  type ObjectRecord,
  objectRunId,
  RENEW_UPDATE,
  SEND_UPDATE,
  type StateOf,
  type UpdateDefinition,
  updateInputOf,
} from "@raftoral/workflow";
import { optionsArgument, updateIdArgument, workflowArgument } from "../arguments.ts";
import type { ReadOptions } from "../call-options.ts";
import { Payload } from "../payloads/payload.ts";
import { assertFits } from "../payloads/validated-payload.ts";
import type { AskedWithStart, CheckedUpdates } from "../updates/checked-updates.ts";
import type { AcceptedUpdate, UpdateWithStartOptions } from "../updates/updates.ts";
import type { WorkflowName, Workflows } from "../workflows.ts";
import { notAnObject } from "./object-arguments.ts";
import type { ObjectCallArguments, ObjectCallOptions, ObjectHandle, ObjectSendOptions } from "./objects.ts";

/** How often a call is made whose object ends each time before it has accepted the call. */
const MAX_CALL_ATTEMPTS = 20;

/** What handles of objects are made of. */
export interface ObjectSetting {
  readonly workflows: Workflows;
  readonly updates: CheckedUpdates;
  /** A fresh UUID: ids of calls for which the caller chose none. */
  readonly uuid: () => string;
}

/** {@link ObjectHandle} by way of {@link Workflows} (OH1, OH2). */
export class WorkflowObject<Definition> implements ObjectHandle<Definition> {
  readonly key: string;
  readonly runId: string;
  readonly #object: WorkflowName;
  readonly #workflows: Workflows;
  readonly #updates: CheckedUpdates;
  readonly #uuid: () => string;

  /** Throws REQUEST_INVALID or NAME_INVALID. */
  constructor(object: WorkflowName, key: string, { workflows, updates, uuid }: ObjectSetting) {
    const { type } = workflowArgument(object, undefined);
    if (typeof object === "object" && "run" in object && !isObjectDefinition(object)) throw notAnObject(type);
    this.runId = objectRunId(type, key);
    this.key = key;
    this.#object = object;
    this.#workflows = workflows;
    this.#updates = updates;
    this.#uuid = uuid;
  }

  call<Name extends HandlerName<Definition>>(
    name: Name,
    ...args: ObjectCallArguments<HandlerGiven<Definition, Name>>
  ): Promise<HandlerAnswer<Definition, Name>> {
    const [input, options] = args as readonly [input?: unknown, options?: ObjectCallOptions];
    const answer = this.#begun(options, (given) =>
      this.#updates.withStart(this.#asked(this.#update(name), input, given)),
    );
    // The answer has the type of the handler, as the record gives it back.
    return answer as Promise<HandlerAnswer<Definition, Name>>;
  }

  send<Name extends HandlerName<Definition>>(
    name: Name,
    ...args: ObjectCallArguments<HandlerGiven<Definition, Name>>
  ): Promise<AcceptedUpdate<HandlerAnswer<Definition, Name>>> {
    const [input, options] = args as readonly [input?: unknown, options?: ObjectCallOptions];
    const accepted = this.#begun(options, (given) =>
      this.#updates.acceptedWithStart(this.#asked(this.#update(name), input, given)),
    );
    return accepted as Promise<AcceptedUpdate<HandlerAnswer<Definition, Name>>>;
  }

  async sendLater<Name extends HandlerName<Definition>>(
    name: Name,
    input: HandlerGiven<Definition, Name> | Payload,
    options: ObjectSendOptions,
  ): Promise<void> {
    const { after } = optionsArgument(options);
    const afterMs = durationMs(after as ObjectSendOptions["after"]);
    const payload = Payload.of(input, `the input of ${name}`);
    const { input: schema } = this.#update(name);
    if (schema !== undefined) await assertFits(schema, payload, updateInputOf(name));
    const value: unknown = payload.value();
    const id = updateIdArgument(options.id) ?? this.#uuid();
    const sent = { id, name, afterMs, ...(value === undefined ? {} : { input: value }) };
    await this.#begun({ ...options, id }, (given) => this.#updates.withStart(this.#asked(SEND_UPDATE, sent, given)));
  }

  async state(options?: ReadOptions): Promise<StateOf<Definition> | undefined> {
    const record = await ifExists(async () => {
      const kept = await this.#workflows.variable(this.runId, OBJECT_RECORD, options);
      // A generation that has recorded nothing yet has what it began with.
      return kept ?? (await this.#workflows.input(this.runId, options)).value();
    });
    // The state has the type of the definition, as the record gives it back.
    return (record as ObjectRecord<StateOf<Definition>> | undefined)?.state;
  }

  async delete(options?: ObjectCallOptions): Promise<void> {
    await ifExists(() => this.#workflows.update(this.runId, DELETE_UPDATE, undefined, options));
  }

  async renew(options?: ObjectCallOptions): Promise<void> {
    await ifExists(() => this.#workflows.update(this.runId, RENEW_UPDATE, undefined, options));
  }

  #asked(update: UpdateDefinition | string, updateInput: unknown, options: UpdateWithStartOptions): AskedWithStart {
    return { workflow: this.#object, input: undefined, update, updateInput, options, isObject: true };
  }

  /** The update that a handler is called by, with the handler's schema where the definition is there. */
  #update(name: string): UpdateDefinition {
    const handlers = typeof this.#object === "object" && "handlers" in this.#object ? this.#object.handlers : {};
    const known = handlers as Readonly<Record<string, ObjectHandler>>;
    return { name, input: Object.hasOwn(known, name) ? known[name]?.input : undefined, output: undefined };
  }

  /** OH1. */
  async #begun<T>(
    options: ObjectCallOptions | undefined,
    call: (options: UpdateWithStartOptions) => Promise<T>,
  ): Promise<T> {
    const given = optionsArgument(options);
    const id = updateIdArgument(given.id) ?? this.#uuid();
    for (let attempt = 1; ; attempt++) {
      try {
        return await call({ ...given, id, runId: this.runId, ifFinished: "start" });
      } catch (error) {
        if (attempt >= MAX_CALL_ATTEMPTS || !hasCode(error, "WORKFLOW_FINISHED")) throw error;
      }
    }
  }
}

/** OH2. */
async function ifExists<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (
      hasCode(error, "WORKFLOW_NOT_FOUND") ||
      hasCode(error, "WORKFLOW_PRUNED") ||
      hasCode(error, "WORKFLOW_FINISHED")
    )
      return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof RaftoralError && error.code === code;
}
