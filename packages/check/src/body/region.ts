import type { Location } from "../report.ts";
import type { ContextId, Value } from "../values/value.ts";
import type { NamedCall } from "./parallel-names.ts";
import type { Shape } from "./promise-fate.ts";

/**
 * How code is run.
 *
 * - `body`: as a part of a body, again at each replay; everything is looked at.
 * - `unclear`: a function that code elsewhere was given. What it does with contexts is looked at, and nothing else.
 * - `step`: as a part of a step function; only calls of contexts are wrong.
 * - `pure`: as the change of a variable or the handler of a query: whenever somebody needs what it makes; everything is looked at, and calls of contexts
 *   are wrong.
 */
export type Mode = "body" | "step" | "unclear" | "pure";

/** Whether code must make the same of the same whenever it runs. */
export function isRepeatable(mode: Mode): boolean {
  return mode === "body" || mode === "pure";
}

/** Whether a call of a context has no place in the code. */
export function isWithoutContext(mode: Mode): boolean {
  return mode === "step" || mode === "pure";
}

/** How code is run that runs as `inner` from code that runs as `outer`. */
export function modeWithin(outer: Mode, inner: Mode = outer): Mode {
  if (outer === "body" || inner === "step") return inner;
  // A function that code elsewhere was given: only its calls of contexts are known to be wrong.
  return outer === "pure" && inner === "unclear" ? "step" : outer;
}

/** What holds for all code of one function while the check follows one call of it. */
export interface Region {
  readonly mode: Mode;
  /** The context whose calls belong here: that of the body, or of the innermost scope. */
  readonly context: ContextId;
  /** The call in the body that led into another function; undefined within the body. */
  readonly calledFrom: Location | undefined;
}

/** What a function turned out to do. */
export interface Outcome {
  /** Its context calls with names, on contexts from outside. */
  readonly calls: readonly NamedCall[];
  /** Whether it calls a context at all, outside of steps. */
  readonly callsContext: boolean;
  /** The shape of its result when the result has promises of context calls in it. */
  readonly gives: Shape | undefined;
}

export const NO_OUTCOME: Outcome = { calls: [], callsContext: false, gives: undefined };

/** What the arguments of a call stand for, by index. */
export type Arguments = (index: number) => Value | undefined;
