/** The author's context over a running execution: gives every call its path within one scope. */
import { type Duration, durationMs } from "../../author/duration.ts";
import { SeededRandom } from "../../author/seeded-random.ts";
import type { StepPaths } from "../../author/step-path.ts";
import type { StepContext, StepOptions, Variable, WorkflowContext } from "../../author/workflow-context.ts";
import type { RunExecution } from "./run-execution.ts";

export class ExecutionContext implements WorkflowContext {
  readonly #execution: RunExecution;
  readonly #paths: StepPaths;
  readonly #variables = new Map<string, Promise<Variable<unknown>>>();
  #random: SeededRandom | undefined;

  constructor(execution: RunExecution, paths: StepPaths) {
    this.#execution = execution;
    this.#paths = paths;
  }

  get runId(): string {
    return this.#execution.start.runId;
  }

  get workflowType(): string {
    return this.#execution.definition.type;
  }

  get version(): number {
    return this.#execution.start.version;
  }

  get nodeId(): number {
    return this.#execution.shared.nodeId;
  }

  get attempt(): number {
    return this.#execution.start.attempt;
  }

  get fencingToken(): number {
    return this.#execution.start.epoch;
  }

  get signal(): AbortSignal {
    return this.#execution.interruption.signal;
  }

  step<T>(name: string, fn: (step: StepContext) => T | Promise<T>, options?: StepOptions): Promise<T> {
    return called(() => this.#execution.step(this.#paths.next(name), fn, options) as Promise<T>);
  }

  scope<T>(name: string, fn: (ctx: WorkflowContext) => T | Promise<T>): Promise<T> {
    return called(async () => await fn(new ExecutionContext(this.#execution, this.#paths.scope(name))));
  }

  variable<T>(name: string, initial: T | (() => T | Promise<T>)): Promise<Variable<T>> {
    const known = this.#variables.get(name);
    if (known !== undefined) return known as Promise<Variable<T>>;
    const variable = called(async () => {
      const key = this.#paths.next(name);
      const make = typeof initial === "function" ? (initial as () => T | Promise<T>) : () => initial;
      return new ReplicatedVariable<T>(this.#execution, key, (await this.#execution.value(key, make)) as T);
    });
    this.#variables.set(name, variable);
    return variable;
  }

  sleep(duration: Duration, name = "sleep"): Promise<void> {
    return called(() => this.#execution.sleep(this.#paths.next(name), durationMs(duration)));
  }

  waitFor<T>(signal: string, options: { readonly timeout?: Duration } = {}): Promise<T> {
    const { timeout } = options;
    return called(() => {
      const timeoutMs = timeout === undefined ? undefined : durationMs(timeout);
      return this.#execution.waitFor(this.#paths.next(signal), signal, timeoutMs) as Promise<T>;
    });
  }

  now(): Promise<number> {
    return called(() => this.#execution.now(this.#paths.next("now")));
  }

  random(): number {
    return this.#seeded().random();
  }

  uuid(): string {
    return this.#seeded().uuid();
  }

  #seeded(): SeededRandom {
    this.#random ??= new SeededRandom(this.#execution.start.seed, this.#paths.prefix);
    return this.#random;
  }
}

/** Its changes are carried out one after the other, in the order of the calls: none is lost, and the last one stands. */
class ReplicatedVariable<T> implements Variable<T> {
  readonly #execution: RunExecution;
  readonly #key: string;
  #value: T;
  #changes = 0;
  /** Settles, never rejects, when the changes asked for so far are carried out. */
  #quiet: Promise<unknown> = Promise.resolve();

  constructor(execution: RunExecution, key: string, value: T) {
    this.#execution = execution;
    this.#key = key;
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): Promise<void> {
    return called(async () => {
      await this.#change(() => value);
    });
  }

  update(change: (value: T) => T): Promise<T> {
    return this.#change(change);
  }

  #change(change: (value: T) => T): Promise<T> {
    const before = this.#quiet;
    const changed = called(async () => {
      await before;
      // No path of a step or a scope ends like this, whatever the author's names are.
      const key = `${this.#key}/set${this.#changes++}`;
      this.#value = (await this.#execution.value(key, () => change(this.#value))) as T;
      return this.#value;
    });
    this.#quiet = changed.catch(() => {});
    return changed;
  }
}

/**
 * The call's promise, with errors thrown on the way as rejections. A promise that the author drops must not end the process
 * when it rejects (after a cancellation, say): whoever awaits it still gets the rejection.
 */
function called<T>(fn: () => Promise<T>): Promise<T> {
  let promise: Promise<T>;
  try {
    promise = fn();
  } catch (error) {
    promise = Promise.reject(error);
  }
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
