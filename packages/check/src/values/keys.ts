/** Numbers for things that are to be told apart: equal descriptions get equal numbers. */
import type { Frame } from "./frame.ts";
import type { Value } from "./value.ts";

/** Gives equal numbers to equal descriptions, for one check. */
export class Keys {
  readonly #numbers = new Map<string, number>();
  readonly #objects = new WeakMap<object, number>();
  #last = 0;

  /** The number of a description; a new one for a new description. */
  of(description: string): number {
    const known = this.#numbers.get(description);
    if (known !== undefined) return known;
    this.#last += 1;
    this.#numbers.set(description, this.#last);
    return this.#last;
  }

  /** The number of an object by its identity. */
  ofObject(object: object): number {
    const known = this.#objects.get(object);
    if (known !== undefined) return known;
    this.#last += 1;
    this.#objects.set(object, this.#last);
    return this.#last;
  }

  /** The number of what a value stands for. */
  ofValue(value: Value | undefined): number {
    return value === undefined ? 0 : this.of(this.#describe(value));
  }

  #describe(value: Value): string {
    switch (value.type) {
      case "global":
        return `global ${value.path}`;
      case "external":
        return `external ${JSON.stringify(value.specifier)} ${value.path}`;
      case "namespace":
        return `namespace ${this.ofObject(value.module)}`;
      case "function":
        return `function ${this.ofObject(value.fn)} in ${frameKey(value.frame)}`;
      case "object":
        return `object ${this.ofObject(value.node)} in ${frameKey(value.frame)}`;
      case "string":
        return `string ${value.text}`;
      case "context":
        return `context ${value.id}`;
      case "context-method":
        return `method ${value.id} ${value.method}`;
      case "called-object":
        return `called object ${value.id}`;
      case "variable":
        return `variable ${value.awaited}`;
      case "variable-method":
        return `variable ${value.method}`;
    }
  }
}

function frameKey(frame: Frame | undefined): number {
  return frame?.key ?? 0;
}
