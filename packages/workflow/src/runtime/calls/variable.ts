/**
 * `ctx.variable`: a replicated value, recorded at first and at each change.
 *
 * VA1. What a function (`initial`, or that of `update`) gave is recorded, and so is its failure: every owner takes the same course. The function is called
 *      again only after a crash before the commit.
 * VA2. Changes are carried out one after the other, in the order of the calls: none is lost, and the last one stands.
 */
import { encodeValue } from "../../author/values/json-value.ts";
import type { Variable } from "../../author/workflow-context.ts";
import type { HistoryRecord } from "../../model/record.ts";
import { variableNameOf } from "../../state/history/latest-variables.ts";
import type { CallSite } from "./call-site.ts";
import { called } from "./called.ts";
import { failureBytes, variableAnswer } from "./steps/step-record.ts";

/**
 * A variable with its initial value recorded. `isGiven`: the body gave the value itself, and would again. Rejects with VariableFailedError when
 * `initial` fails.
 */
export async function variable<T>(
  site: CallSite,
  path: string,
  initial: () => unknown,
  isGiven: boolean,
): Promise<Variable<T>> {
  return new ReplicatedVariable<T>(site, path, (await site.call(() => value(site, path, initial, isGiven))) as T);
}

/** Records a value once. `make` is called only when none is recorded (VA1). */
function value(site: CallSite, path: string, make: () => unknown, isRecomputable: boolean): Promise<unknown> {
  const record = async (): Promise<HistoryRecord> => {
    let bytes: Uint8Array;
    try {
      bytes = encodeValue(await site.guard.run(path, make), `variable ${path}`, site.maxPayloadBytes);
    } catch (error) {
      return site.record(path, "variable-failed", failureBytes(error, 1));
    }
    return site.record(path, "variable", bytes, isRecomputable);
  };
  return site.once({
    path,
    kind: "variable",
    record: () => site.work(record),
    answer: (found) => variableAnswer(path, found),
  });
}

class ReplicatedVariable<T> implements Variable<T> {
  readonly #site: CallSite;
  readonly #path: string;
  #value: T;
  #changes = 0;
  /** Settles, never rejects, when the changes asked for so far are carried out. */
  #quiet: Promise<unknown> = Promise.resolve();

  constructor(site: CallSite, path: string, value: T) {
    this.#site = site;
    this.#path = path;
    this.#value = value;
    site.body.setters.set(variableNameOf(path), (next) => this.set(next as T));
  }

  get value(): T {
    return this.#value;
  }

  get(): T {
    return this.#value;
  }

  set(next: T): Promise<void> {
    return called(async () => {
      await this.#change(() => next);
    });
  }

  update(change: (value: T) => T): Promise<T> {
    return this.#change(change);
  }

  #change(change: (value: T) => T): Promise<T> {
    const refused = this.#site.guard.refusal("variable", this.#path);
    if (refused !== undefined) return called(() => refused);
    const before = this.#quiet;
    const changed = called(async () => {
      await before;
      return this.#site.call(async () => {
        // No path of a step or a scope ends like this, whatever the author's names are.
        const path = `${this.#path}/set${this.#changes++}`;
        this.#value = (await value(this.#site, path, () => change(this.#value), true)) as T;
        return this.#value;
      });
    });
    this.#quiet = changed.catch(() => {});
    return changed;
  }
}
