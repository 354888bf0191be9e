/** Variables of runs as readers see them. */
import type { ReadOptions } from "./call-options.ts";
import type { Payload } from "./payloads/payload.ts";

/** A variable of a run, as it was last recorded. */
export interface RunVariable {
  /** Enclosing scopes and name, as in `ship/status`; with `#1` for the second one of that name. */
  readonly name: string;
  readonly value: Payload;
  /** When the value was recorded, in milliseconds since the epoch. */
  readonly recordedAtMs: number;
}

/** A page of a run's variables, in no order. */
export interface VariablePage {
  readonly variables: readonly RunVariable[];
  /** For the next page; undefined on the last one. */
  readonly nextPageToken: string | undefined;
}

/** Options of reading one variable. */
export interface VariableOptions extends ReadOptions {
  /** The scopes that the variable is in, as in `ship` or `map/3`. None by default. */
  readonly scope?: string;
}
