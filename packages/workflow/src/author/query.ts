/** Definitions of queries: one value that bodies and those who ask them share, so that both know the types. */

import { escapedName } from "./step-path.ts";
import type { Unchanged } from "./values/recorded.ts";

/** A query's name with the types of what it is asked with and answers. Made by {@link query}. */
export interface QueryDefinition<Answer = unknown, Input = unknown> {
  readonly name: string;
  /** Types alone; no definition has this property. */
  readonly "~types"?: { readonly answer: Answer; readonly input: Input };
}

/** What a query answers: of a definition its answer, of a name anything. */
export type QueryAnswer<Query> = Query extends QueryDefinition<infer Answer, infer _Input> ? Answer : unknown;

/** What a query is asked with. */
export type QueryInput<Query> = Query extends QueryDefinition<infer _Answer, infer Input> ? Input : unknown;

/**
 * Defines a query: `query<Progress>("progress")`, or `query<Line, { readonly item: string }>("line")` for one with an input. The record does not change values
 * of these types. Throws NAME_INVALID.
 */
export function query<Answer extends Unchanged<Answer>, Input extends Unchanged<Input> = undefined>(
  name: string,
): QueryDefinition<Answer, Input> {
  escapedName(name);
  return { name };
}
