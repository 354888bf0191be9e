import type { Keys } from "../values/keys.ts";
import type { NamedCall } from "./parallel-names.ts";

/** The named context calls of one function, in their order, each once: a helper may be called ten thousand times. */
export class NamedCalls {
  readonly #keys: Keys;
  readonly #seen = new Set<string>();
  readonly #calls: NamedCall[] = [];

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  get all(): readonly NamedCall[] {
    return this.#calls;
  }

  add(call: NamedCall): void {
    const key = this.#keyOf(call);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#calls.push(call);
  }

  /** The calls from `first` on are made after an await, too. */
  repeatAfterAwait(first: number): void {
    for (let at = first; at < this.#calls.length; at++) {
      const call = this.#calls[at];
      if (call === undefined || call.isAfterAwait) continue;
      const later = { ...call, isAfterAwait: true };
      this.#calls[at] = later;
      this.#seen.add(this.#keyOf(later));
    }
  }

  #keyOf({ context, node, name, isAfterAwait }: NamedCall): string {
    return `${context} ${this.#keys.ofObject(node)} ${isAfterAwait} ${name}`;
  }
}
