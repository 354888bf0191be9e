/** What the parameters of a function stand for while the check follows one call of it. */
import type { Binding } from "../scope/binding.ts";
import type { FunctionNode } from "../syntax/nodes.ts";
import type { Value } from "./value.ts";

/** The frame of one call: parameters by name, with what they stand for. */
export class Frame {
  readonly fn: FunctionNode;
  /** The frame of the function that declares `fn`. */
  readonly outer: Frame | undefined;
  /** Two frames of one function with the same key stand for the same. */
  readonly key: number;
  readonly #values: ReadonlyMap<Binding, Value>;

  constructor(fn: FunctionNode, outer: Frame | undefined, values: ReadonlyMap<Binding, Value>, key: number) {
    this.fn = fn;
    this.outer = outer;
    this.key = key;
    this.#values = values;
  }

  /** The value of a parameter of this function or of one around it. */
  valueOf(binding: Binding): Value | undefined {
    const frame = this.of(binding.fn);
    return frame === undefined ? undefined : frame.#values.get(binding);
  }

  /** The frame of `fn`, which is this function or one around it. */
  of(fn: FunctionNode | undefined): Frame | undefined {
    for (let frame: Frame | undefined = this; frame !== undefined; frame = frame.outer) {
      if (frame.fn === fn) return frame;
    }
    return undefined;
  }
}
