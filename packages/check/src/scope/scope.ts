import type { FunctionNode } from "../syntax/nodes.ts";
import type { Binding } from "./binding.ts";

/** The names that one block, function or module declares. */
export class Scope {
  readonly parent: Scope | undefined;
  /** The function that the scope is a part of. */
  readonly fn: FunctionNode | undefined;
  /** Where `var` of this scope ends up: the body of the function, or the module. */
  readonly varScope: Scope;
  readonly #bindings = new Map<string, Binding>();

  constructor(parent: Scope | undefined, fn: FunctionNode | undefined, options: { readonly holdsVar: boolean }) {
    this.parent = parent;
    this.fn = fn;
    this.varScope = options.holdsVar || parent === undefined ? this : parent.varScope;
  }

  /**
   * Declares a name, and returns its binding: a second declaration of the same name is the same binding, and counts as an
   * assignment.
   */
  declare(binding: Binding): Binding {
    const known = this.#bindings.get(binding.name);
    if (known === undefined) this.#bindings.set(binding.name, binding);
    else known.writes += 1;
    return known ?? binding;
  }

  /** A name of this scope alone. */
  own(name: string): Binding | undefined {
    return this.#bindings.get(name);
  }

  /** The binding that a name means here; undefined for a global name. */
  lookUp(name: string): Binding | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const found = scope.#bindings.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
