/** Definitions of variables: one value that bodies and those who read them share, so that both know the type. */

import { escapedName } from "./step-path.ts";
import type { Unchanged } from "./values/recorded.ts";

/** A variable's name with the type of its value. Made by {@link variable}. */
export interface VariableDefinition<Value = unknown> {
  readonly name: string;
  /** Types alone; no definition has this property. */
  readonly "~types"?: { readonly value: Value };
}

/** What is read of a variable: of a definition its value, of a name anything. */
export type VariableValue<Named> = Named extends VariableDefinition<infer Value> ? Value : unknown;

/** Defines a variable: `variable<Status>("status")`. The record does not change values of its type. Throws NAME_INVALID. */
export function variable<Value extends Unchanged<Value>>(name: string): VariableDefinition<Value> {
  escapedName(name);
  return { name };
}
