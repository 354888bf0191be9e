/**
 * Definitions of virtual objects: state under a key, with handlers that are called by the key's holders.
 *
 * OD1. A definition is one of a workflow, whose runs are the objects (object-body.ts). It is registered, versioned and moved as every workflow is.
 */
import { WorkflowError } from "../../errors.ts";
import { escapedName } from "../step-path.ts";
import { decodeValue, encodeValue } from "../values/json-value.ts";
import type { UnchangedPart } from "../values/recorded.ts";
import { type WorkflowDefinition, workflow } from "../workflow.ts";
import type { WorkflowContext } from "../workflow-context.ts";
import type { ObjectHandler } from "./handlers.ts";
import { ObjectBody } from "./object-body.ts";
import { OWN_PREFIX } from "./object-record.ts";
import type { TypedObject } from "./typed-object.ts";

/** Options of an object. */
export interface ObjectOptions<State> {
  /**
   * From 1. An object stays with the version that it began with until it is renewed (`object.renew()`, or by itself when its history is large); register changed code
   * under a new version beside the old one until then.
   */
  readonly version: number;
  /** The state of an object that has none yet. */
  readonly state: State;
  /** Makes of the state that an earlier version kept the state of this one. Without it the state stays as it is. It must give the same for the same, at once. */
  readonly migrate?: (state: unknown, version: number) => State;
}

/** The handlers of an object, by name. */
export type ObjectHandlers<State> = Readonly<Record<string, ObjectHandler<State>>>;

/** An object's type, version, state and handlers. Made by {@link object}; to be registered among the workflows of a node. */
export interface ObjectDefinition<State = unknown, Handlers = unknown, Type extends string = string>
  extends WorkflowDefinition<undefined, undefined, Type>,
    TypedObject<State, Handlers, Type> {
  readonly handlers: Handlers;
}

/**
 * Defines an object: `object("account", { version: 1, state: { balance: 0 } }, { deposit: exclusive(async (ctx, amount: number) => ...) })`. The record does not change
 * states of its type. Throws NAME_INVALID for a type, version or name of a handler that is none, and VALUE_NOT_SERIALIZABLE for a state that JSON does not carry.
 */
export function object<Type extends string, State extends UnchangedPart<State>, Handlers extends ObjectHandlers<State>>(
  type: Type,
  options: ObjectOptions<State>,
  handlers: Handlers,
): ObjectDefinition<State, Handlers, Type> {
  const { version, state, migrate } = options;
  for (const name of Object.keys(handlers)) {
    escapedName(name);
    // The scope of a call that was sent for later is named so.
    escapedName(`${OWN_PREFIX}${name}`);
    if (name.startsWith(OWN_PREFIX)) {
      const message = `Handler ${name} of object ${type} has a name of the engine's own: those begin with "${OWN_PREFIX}". Give it another name.`;
      throw new WorkflowError("NAME_INVALID", message);
    }
  }
  const initial = decodeValue(encodeValue(state, `the state of object ${type}`, Number.POSITIVE_INFINITY), "the state");
  if (initial === undefined) {
    throw new WorkflowError(
      "VALUE_NOT_SERIALIZABLE",
      `The state of object ${type} is undefined. Give null, or a value.`,
    );
  }
  const setting = { type, version, initial, migrate, handlers: handlers as ObjectHandlers<never> };
  const run = (ctx: WorkflowContext, input: unknown): Promise<unknown> => new ObjectBody(setting, ctx).run(input);
  return { ...workflow(type, { version }, async () => undefined), run, handlers, reportsRejections: true };
}

/** Whether a definition is one of an object: it has handlers in the place of a body. */
export function isObjectDefinition(definition: unknown): boolean {
  return typeof definition === "object" && definition !== null && "handlers" in definition;
}
