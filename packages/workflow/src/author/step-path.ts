/**
 * Paths: where in a run a record belongs. `ship/label#1` is the second `label` within scope `ship`.
 *
 * K1. A path depends on the enclosing scopes, the name, and how many of that name came before in that scope; on nothing else
 *     that happens in the run. So parallel branches interleave freely, and a new step moves no other.
 * K2. Names are any text of 1 to 200 characters: what has a meaning in paths is escaped. Lone surrogates are refused, for the
 *     log would make one name of them all.
 */
import { WorkflowError } from "../errors.ts";

const MAX_NAME_LENGTH = 200;
const SPECIAL = /[%/#]/g;

/** Gives out the paths of one scope. It counts the names that were used, so it must see every call of the scope, in the order of the calls (K1). */
export class StepPaths {
  /** With a `/` at the end, or empty for the run itself. */
  readonly prefix: string;
  readonly #occurrences = new Map<string, number>();

  constructor(prefix = "") {
    this.prefix = prefix;
  }

  /** The path of the next thing of this name. Throws NAME_INVALID. */
  next(name: string): string {
    const escaped = escapedName(name);
    return `${this.prefix}${escaped}#${this.#count(escaped)}`;
  }

  /** The paths within the next scope of this name: `ship/`, then `ship#1/`, ... */
  scope(name: string): StepPaths {
    const escaped = escapedName(name);
    const occurrence = this.#count(`${escaped}/`);
    return new StepPaths(`${this.prefix}${escaped}${occurrence === 0 ? "" : `#${occurrence}`}/`);
  }

  /** The paths of the `index`th item of a list: `map/17/`. For a scope in which nothing else has names. */
  item(index: number): StepPaths {
    return new StepPaths(`${this.prefix}${index}/`);
  }

  #count(name: string): number {
    const occurrence = this.#occurrences.get(name) ?? 0;
    this.#occurrences.set(name, occurrence + 1);
    return occurrence;
  }
}

/** A name as it stands in a path. Throws NAME_INVALID. */
export function escapedName(name: string): string {
  if (typeof name !== "string" || name.length === 0 || name.length > MAX_NAME_LENGTH || !name.isWellFormed()) {
    throw new WorkflowError(
      "NAME_INVALID",
      `Names of steps, scopes, variables and signals are well-formed texts of 1 to ${MAX_NAME_LENGTH} characters, not ${typeof name === "string" ? `one of ${name.length}` : typeof name}`,
    );
  }
  return name.search(SPECIAL) === -1 ? name : name.replace(SPECIAL, encodeURIComponent);
}
