/**
 * Which signals of a run are probably waiting, so that nothing is proposed in vain. A hint only: the state decides who gets
 * what, and a claim too many is answered with "none there".
 */
import { LazyMap } from "../collections/lazy-map.ts";

const NONE: readonly string[] = Object.freeze([]);

/** The signals of one run that are probably waiting, and the body's waits for others. */
export class SignalInbox {
  readonly #waiting = new LazyMap<string, number>();
  readonly #listeners = new LazyMap<string, Set<() => void>>();
  /** Paths of waits and handlers for which a signal is kept; undefined for none. */
  readonly #kept: Set<string> | undefined;

  constructor(names: Iterable<string>, kept: readonly string[] = []) {
    this.#kept = kept.length === 0 ? undefined : new Set(kept);
    for (const name of names) this.#waiting.set(name, (this.#waiting.get(name) ?? 0) + 1);
  }

  has(name: string): boolean {
    return (this.#waiting.get(name) ?? 0) > 0;
  }

  /** Names that somebody listens for. */
  get awaited(): readonly string[] {
    return this.#listeners.size === 0
      ? NONE
      : [...this.#listeners].flatMap(([name, listeners]) => (listeners.size > 0 ? [name] : []));
  }

  /** Counts one less, unless one is kept for this path. False when there is none. */
  claim(name: string, path: string): boolean {
    if (this.#kept?.delete(path) === true) return true;
    const count = this.#waiting.get(name) ?? 0;
    if (count === 0) return false;
    if (count === 1) this.#waiting.delete(name);
    else this.#waiting.set(name, count - 1);
    return true;
  }

  /** One has come. Wakes all who wait for this name, in the order in which they began to. */
  arrived(name: string): void {
    this.#waiting.set(name, (this.#waiting.get(name) ?? 0) + 1);
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    this.#listeners.delete(name);
    for (const listener of listeners) listener();
  }

  /** These are waiting, whatever was known before. Wakes all who wait for one of them. */
  reset(names: readonly string[]): void {
    this.#waiting.clear();
    for (const name of names) this.arrived(name);
  }

  /** Calls back once. Returns the way to stop listening. */
  listen(name: string, fn: () => void): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(name, listeners);
    }
    const own = listeners;
    own.add(fn);
    return () => own.delete(fn);
  }
}
