/**
 * Handlers of objects: exclusive ones, which change the state one after the other, and shared ones, which read it.
 *
 * OH1. A handler has four types, as an update has (update.ts UD1). The state's type is that of the object that the handler is given to.
 */
import type { Recordable, Recorded, Unchanged } from "../values/recorded.ts";
import type { StandardSchemaV1 } from "../values/schema.ts";
import type { ExclusiveContext, SharedContext } from "./object-context.ts";

/** Whether a handler runs alone, or beside others. */
export type HandlerMode = "exclusive" | "shared";

/** Schemas of a handler. */
export interface HandlerSchemas<Given = unknown, Input = unknown> {
  /** Takes what callers give, and gives what the handler gets. Asked where the call is made, and on the object's owner before the call is queued. */
  readonly input: StandardSchemaV1<Given, Input>;
}

/** A handler of an object. Made by {@link exclusive} and {@link shared}. Callers give `Given` and get `Answer`. */
export interface ObjectHandler<State = never, Given = never, Answer = unknown> {
  readonly mode: HandlerMode;
  readonly input: StandardSchemaV1 | undefined;
  /** The function, with what its mode gives it. */
  run(ctx: never, input: unknown): unknown;
  /** Types alone; no handler has this property. */
  readonly "~types"?: {
    readonly state: (state: State) => void;
    readonly given: (given: Given) => void;
    readonly answer: Answer;
  };
}

type Awaitable<T> = T | Promise<T> | PromiseLike<T>;

/** A handler without an input needs none. */
type Taken<Input> = [Input] extends [never] ? undefined : Input;

/**
 * A handler that runs alone: exclusive calls of one object run one after the other, in the order of the log. It may change the state. The type of its second parameter is
 * what callers give, and must be one that the record does not change; with a schema, it is what the schema gives.
 */
export function exclusive<State, Output extends Recordable<Output>, Input extends Unchanged<Input> = never>(
  handler: (ctx: ExclusiveContext<State>, input: Input) => Awaitable<Output>,
): ObjectHandler<State, Taken<Input>, Recorded<Output>>;
/** As above, with a schema for the input: callers are checked against it, and the handler gets what it gives. */
export function exclusive<State, Output extends Recordable<Output>, Given extends Unchanged<Given>, Input>(
  handler: (ctx: ExclusiveContext<State>, input: Input) => Awaitable<Output>,
  schemas: HandlerSchemas<Given, Input>,
): ObjectHandler<State, Given, Recorded<Output>>;
export function exclusive(
  run: (ctx: never, input: never) => unknown,
  schemas?: Partial<HandlerSchemas>,
): ObjectHandler {
  return { mode: "exclusive", input: schemas?.input, run: run as ObjectHandler["run"] };
}

/**
 * A handler that runs beside all others, as soon as its call is accepted. It may not change the state. Types and schemas are as those of {@link exclusive}.
 */
export function shared<State, Output extends Recordable<Output>, Input extends Unchanged<Input> = never>(
  handler: (ctx: SharedContext<State>, input: Input) => Awaitable<Output>,
): ObjectHandler<State, Taken<Input>, Recorded<Output>>;
/** As above, with a schema for the input: callers are checked against it, and the handler gets what it gives. */
export function shared<State, Output extends Recordable<Output>, Given extends Unchanged<Given>, Input>(
  handler: (ctx: SharedContext<State>, input: Input) => Awaitable<Output>,
  schemas: HandlerSchemas<Given, Input>,
): ObjectHandler<State, Given, Recorded<Output>>;
export function shared(run: (ctx: never, input: never) => unknown, schemas?: Partial<HandlerSchemas>): ObjectHandler {
  return { mode: "shared", input: schemas?.input, run: run as ObjectHandler["run"] };
}
