/** The author's context over a running execution: gives every call its path within one scope. */
import { type Duration, durationMs } from "../../author/duration.ts";
import type { Recordable, Recorded } from "../../author/recorded.ts";
import { SeededRandom } from "../../author/seeded-random.ts";
import type { SignalDefinition, SignalPayload } from "../../author/signal.ts";
import { escapedName, type StepPaths } from "../../author/step-path.ts";
import type { StreamDefinition, StreamWriter } from "../../author/stream.ts";
import type {
  MapOptions,
  ScopeOptions,
  StepContext,
  StepOptions,
  Variable,
  WaitOptions,
  WaitResult,
  WorkflowContext,
} from "../../author/workflow-context.ts";
import type { WorkflowLog } from "../../author/workflow-log.ts";
import { WorkflowError } from "../../errors.ts";
import { called } from "../calls/called.ts";
import { mapped } from "../calls/mapped.ts";
import { now } from "../calls/now.ts";
import { Places } from "../calls/places.ts";
import { sleep } from "../calls/sleep.ts";
import { step } from "../calls/step.ts";
import { variable } from "../calls/variable.ts";
import { waitFor } from "../calls/wait-for.ts";
import { StreamHandle } from "../streams/stream-handle.ts";
import type { RunExecution } from "./run-execution.ts";
import { RunLog } from "./run-log.ts";

/** Items of a `map` that are under way at once, unless told otherwise. */
const MAP_CONCURRENCY = 16;
const MAX_CONCURRENCY = 1_000_000;

/** The `ctx` of one scope of a body. A scope within it gets a context of its own, over the same execution. */
export class ExecutionContext implements WorkflowContext {
  readonly #execution: RunExecution;
  readonly #paths: StepPaths;
  readonly #variables = new Map<string, Promise<Variable<unknown>>>();
  /** Of the innermost bounded scope around this one, itself included. */
  readonly #places: Places | undefined;
  #random: SeededRandom | undefined;
  #log: RunLog | undefined;

  constructor(execution: RunExecution, paths: StepPaths, places?: Places) {
    this.#execution = execution;
    this.#paths = paths;
    this.#places = places;
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
    return this.#execution.nodeId;
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

  get log(): WorkflowLog {
    this.#log ??= new RunLog(this.#execution.log, this.#paths.prefix);
    return this.#log;
  }

  step<T extends Recordable<T>>(
    name: string,
    fn: (step: StepContext) => T | Promise<T> | PromiseLike<T>,
    options?: StepOptions,
  ): Promise<Recorded<T>> {
    return this.#call("step", name, () => {
      const path = this.#paths.next(name);
      const { site, steps } = this.#execution;
      return () => step(site, steps, { path, fn, options }, this.#places) as Promise<Recorded<T>>;
    });
  }

  scope<T>(name: string, fn: (ctx: WorkflowContext) => T | Promise<T>, { concurrency }: ScopeOptions = {}): Promise<T> {
    return called(async () => {
      const refused = this.#refusal("scope", name);
      if (refused !== undefined) return refused;
      const places =
        concurrency === undefined ? this.#places : new Places(checkedConcurrency(concurrency), this.#places);
      return await fn(new ExecutionContext(this.#execution, this.#paths.scope(name), places));
    });
  }

  map<Item, Result>(
    items: Iterable<Item>,
    fn: (ctx: WorkflowContext, item: Item, index: number) => Result | Promise<Result>,
    { concurrency = MAP_CONCURRENCY, name = "map" }: MapOptions = {},
  ): Promise<Result[]> {
    return called(async () => {
      const refused = this.#refusal("map", name);
      if (refused !== undefined) return refused;
      const paths = this.#paths.scope(name);
      return await mapped([...items], checkedConcurrency(concurrency), async (item, index) =>
        fn(new ExecutionContext(this.#execution, paths.item(index), this.#places), item, index),
      );
    });
  }

  variable<T extends Recordable<T>>(
    name: string,
    initial: T | (() => T | Promise<T> | PromiseLike<T>),
  ): Promise<Variable<Recorded<T>>> {
    const refused = this.#refusal("variable", name);
    if (refused !== undefined) return called(() => refused);
    const known = this.#variables.get(name);
    if (known !== undefined) return known as Promise<Variable<Recorded<T>>>;
    const made = called(() => {
      const make = typeof initial === "function" ? (initial as () => unknown) : () => initial;
      const isGiven = typeof initial !== "function";
      return variable<Recorded<T>>(this.#execution.site, this.#paths.next(name), make, isGiven);
    });
    this.#variables.set(name, made);
    return made;
  }

  sleep(duration: Duration, name = "sleep"): Promise<void> {
    return this.#call("sleep", name, () => {
      const path = this.#paths.next(name);
      const delayMs = durationMs(duration);
      return () => sleep(this.#execution.site, path, delayMs);
    });
  }

  waitFor<Signal extends SignalDefinition | string>(signal: Signal): Promise<SignalPayload<Signal>>;
  waitFor<Signal extends SignalDefinition | string>(
    signal: Signal,
    options: WaitOptions,
  ): Promise<WaitResult<SignalPayload<Signal>>>;
  waitFor(signal: SignalDefinition | string, options: Partial<WaitOptions> = {}): Promise<unknown> {
    return this.#call("waitFor", signal, () => {
      const { timeout } = options;
      const timeoutMs = timeout === undefined ? undefined : durationMs(timeout);
      const { name, schema } = typeof signal === "string" ? { name: signal, schema: undefined } : signal;
      const path = this.#paths.next(name);
      const { site, inbox } = this.#execution;
      return () => waitFor(site, inbox, { path, name, timeoutMs, schema });
    });
  }

  stream<Given extends Recordable<Given>>(name: string): StreamWriter<Given>;
  stream<Given>(definition: StreamDefinition<Given>): StreamWriter<Given>;
  stream(stream: StreamDefinition | string): StreamWriter {
    const { site, streams } = this.#execution;
    site.guard.check("stream");
    const { name, schema } = typeof stream === "string" ? { name: stream, schema: undefined } : stream;
    escapedName(name);
    return new StreamHandle(streams, this.#paths.prefix, name, schema);
  }

  now(): Promise<number> {
    return this.#call("now", undefined, () => {
      const path = this.#paths.next("now");
      return () => now(this.#execution.site, path);
    });
  }

  random(): number {
    this.#execution.site.guard.check("random");
    return this.#seeded().random();
  }

  uuid(): string {
    this.#execution.site.guard.check("uuid");
    return this.#seeded().uuid();
  }

  /** `prepare` takes the path and checks the arguments, in the turn of the call; what it gives is the call itself. */
  #call<T>(method: string, name: unknown, prepare: () => () => Promise<T>): Promise<T> {
    return called(() => this.#refusal(method, name) ?? this.#execution.site.call(prepare()));
  }

  #refusal(method: string, name: unknown): Promise<never> | undefined {
    return this.#execution.site.guard.refusal(method, name);
  }

  #seeded(): SeededRandom {
    this.#random ??= new SeededRandom(this.#execution.start.seed, this.#paths.prefix);
    return this.#random;
  }
}

/** Throws INPUT_INVALID unless it is a whole number from 1. */
function checkedConcurrency(concurrency: number): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= MAX_CONCURRENCY) return concurrency;
  throw new WorkflowError(
    "INPUT_INVALID",
    `The concurrency is ${String(concurrency)}. Give a whole number from 1 to ${MAX_CONCURRENCY}.`,
  );
}
