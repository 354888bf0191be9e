/**
 * Definitions of updates: one value that bodies and their callers share, so that both know the types.
 *
 * UD1. A definition has four types: what callers give, what the handler gets, what the handler returns, and what callers get. Without a schema on a side, the two of
 *      that side are one, which the record does not change.
 */

import { escapedName } from "./step-path.ts";
import type { Recordable, Recorded, Unchanged } from "./values/recorded.ts";
import type { StandardSchemaV1 } from "./values/schema.ts";

/** An update's name with its types and schemas. Made by {@link update}. Callers give `Given` and get `Answer`; the handler gets `Input` and returns `Output`. */
export interface UpdateDefinition<Answer = unknown, Given = unknown, Input = unknown, Output = unknown> {
  readonly name: string;
  /** Checks inputs where they are given, and makes of the recorded input what the handler gets. */
  readonly input: StandardSchemaV1 | undefined;
  /** Checks what the handler returns, and makes of it what callers get. */
  readonly output: StandardSchemaV1 | undefined;
  /** Types alone; no definition has this property. */
  readonly "~types"?: {
    readonly answer: Answer;
    readonly given: Given;
    readonly input: Input;
    readonly output: Output;
  };
}

/** What a caller of an update gets: of a definition its answer, of a name anything. */
export type UpdateResult<Update> =
  Update extends UpdateDefinition<infer Answer, infer _Given, infer _Input, infer _Output> ? Answer : unknown;

/** What a caller of an update gives. */
export type UpdateInput<Update> =
  Update extends UpdateDefinition<infer _Answer, infer Given, infer _Input, infer _Output> ? Given : unknown;

/** Schemas of an update. */
export interface UpdateSchemas<Given, Input, Output, Kept> {
  /** Takes what callers give, and gives what the handler gets. */
  readonly input: StandardSchemaV1<Given, Input>;
  /** Takes what the handler returns, and gives what is recorded for the callers. */
  readonly output: StandardSchemaV1<Output, Kept>;
}

/**
 * Defines an update: `update<number, number>("set-limit")` for its answer and its input, or `update("reset")` for one with neither. The record does not change values of
 * these types. Throws NAME_INVALID.
 */
export function update<Answer extends Unchanged<Answer> = undefined, Input extends Unchanged<Input> = undefined>(
  name: string,
): UpdateDefinition<Answer, Input, Input, Answer>;
/**
 * Defines an update with schemas: `update("set-limit", { input: schema, output: schema })`. Callers are checked against the input schema, and the handler gets what it makes
 * of their input; callers get what the output schema makes of what the handler returns. Throws NAME_INVALID.
 */
export function update<Given extends Unchanged<Given>, Input, Output, Kept extends Recordable<Kept>>(
  name: string,
  schemas: UpdateSchemas<Given, Input, Output, Kept>,
): UpdateDefinition<Recorded<Kept>, Given, Input, Output>;
/** Defines an update with a schema for its input alone. Its answer is of any type. Throws NAME_INVALID. */
export function update<Given extends Unchanged<Given>, Input>(
  name: string,
  schemas: { readonly input: StandardSchemaV1<Given, Input> },
): UpdateDefinition<unknown, Given, Input, unknown>;
export function update(
  name: string,
  { input, output }: { readonly input?: StandardSchemaV1; readonly output?: StandardSchemaV1 } = {},
): UpdateDefinition {
  escapedName(name);
  return { name, input, output };
}

/** Options of `ctx.onUpdate`. */
export interface UpdateHandlerOptions<Input> {
  /**
   * Asked on the owner before an update is accepted, with what the handler would get. What it throws is the caller's refusal (UPDATE_REJECTED), and leaves nothing in
   * the history. It only reads, at once: it awaits nothing, calls nothing on the context and changes nothing.
   */
  readonly validate?: (input: Input) => void;
}

/** What an object's body says of its updates, besides what authors may. */
export interface OwnUpdateOptions<Input> extends UpdateHandlerOptions<Input> {
  /** Whether the handler waits until the exclusive ones before it have ended. */
  readonly isExclusive?: boolean;
  /** Called when the run has refused an update, of whatever name. Not on a replay, for nothing is recorded: what it changes may matter to the end of the body alone. */
  readonly onRefused?: () => void;
}
