/**
 * Where the records of a program stand: the paths that the engine gives to the calls of one scope, worked out a second time from the program alone.
 */
import { escapedName } from "@raftoral/workflow";

/** Gives out the paths of one scope. It must hear of every name that is used there, in the order of the calls. */
export class Paths {
  /** With a `/` at the end, or empty for the run itself. */
  readonly prefix: string;
  readonly #occurrences = new Map<string, number>();

  constructor(prefix = "") {
    this.prefix = prefix;
  }

  /** The path of the next call of this name. */
  next(name: string): string {
    return `${this.prefix}${escapedName(name)}#${this.#count(name)}`;
  }

  /** The paths within the next scope of this name. */
  scope(name: string): Paths {
    const occurrence = this.#count(`${name}/`);
    return new Paths(`${this.prefix}${escapedName(name)}${occurrence === 0 ? "" : `#${occurrence}`}/`);
  }

  /** The paths of one item of a list, within the scope of the list. */
  item(index: number): Paths {
    return new Paths(`${this.prefix}${index}/`);
  }

  #count(name: string): number {
    const occurrence = this.#occurrences.get(name) ?? 0;
    this.#occurrences.set(name, occurrence + 1);
    return occurrence;
  }
}
