/** The author's context over a running execution: gives every call its path within one scope. */
import type { AbortOptions } from "../../author/abort-options.ts";
import type { AttributeUpdates, AttributeValues } from "../../author/attributes.ts";
import type { ChildArguments, ChildHandle, ChildOptions, ChildType, ChildWorkflow } from "../../author/child.ts";
import type { LimitOptions, LockOptions } from "../../author/lock.ts";
import type { ObjectType, TypedObject } from "../../author/objects/typed-object.ts";
import type { QueryDefinition } from "../../author/query.ts";
import type { CalledObject, RunCallArguments, RunCallOptions } from "../../author/run-calls.ts";
import { SeededRandom } from "../../author/seeded-random.ts";
import type { SignalDefinition, SignalPayload } from "../../author/signal.ts";
import { escapedName, type StepPaths } from "../../author/step-path.ts";
import type { StreamDefinition, StreamWriter } from "../../author/stream.ts";
import type { UpdateDefinition, UpdateHandlerOptions, UpdateInput, UpdateResult } from "../../author/update.ts";
import { type Duration, durationMs, momentMs } from "../../author/values/duration.ts";
import { encodeValue } from "../../author/values/json-value.ts";
import type { Recordable, Recorded } from "../../author/values/recorded.ts";
import type { VariableDefinition } from "../../author/variable.ts";
import type {
  ConditionOptions,
  MapOptions,
  RaceBranches,
  RaceResult,
  ScopeOptions,
  ShieldOptions,
  SleepOptions,
  StepContext,
  StepOptions,
  Token,
  TokenOptions,
  Variable,
  WaitOptions,
  WaitResult,
  WithLock,
  WorkflowContext,
} from "../../author/workflow-context.ts";
import type { WorkflowLog } from "../../author/workflow-log.ts";
import type { WorkflowResult } from "../../author/workflow-types.ts";
import type { TraceContext } from "../../model/trace-context.ts";
import { setAttributes } from "../calls/attributes.ts";
import { callRun, type RunCall } from "../calls/between/call-run.ts";
import { calledObject } from "../calls/between/object-call.ts";
import type { CallSite } from "../calls/call-site.ts";
import { called } from "../calls/called.ts";
import { childCall, childResult, startChild } from "../calls/child.ts";
import { now } from "../calls/now.ts";
import { patched } from "../calls/patched.ts";
import { sleep, sleepUntil } from "../calls/sleep.ts";
import { step } from "../calls/steps/step.ts";
import { token } from "../calls/token.ts";
import { variable } from "../calls/variable.ts";
import { waitFor } from "../calls/wait-for.ts";
import { LazyMap } from "../collections/lazy-map.ts";
import { never } from "../history/history.ts";
import { StreamHandle } from "../streams/stream-handle.ts";
import { inItems, inLock, inRace, inScope, inShield, onCondition, onLimit } from "./context-branches.ts";
import { ContextScope } from "./context-scope.ts";
import type { RunExecution } from "./run-execution.ts";
import { RunLog } from "./run-log.ts";

/** The `ctx` of one scope of a body. A scope within it gets a context of its own, over the same execution. */
export class ExecutionContext implements WorkflowContext {
  readonly #own: ContextScope;
  readonly #execution: RunExecution;
  readonly #paths: StepPaths;
  readonly #site: CallSite;
  readonly #variables = new LazyMap<string, Promise<Variable<unknown>>>();
  #random: SeededRandom | undefined;
  #log: RunLog | undefined;

  constructor(own: ContextScope) {
    this.#own = own;
    this.#execution = own.execution;
    this.#paths = own.paths;
    this.#site = own.site;
  }

  /** The context of a scope of an execution: of its body as a whole, or of one of its handlers. */
  static of(execution: RunExecution, paths: StepPaths, site: CallSite): ExecutionContext {
    return new ExecutionContext(new ContextScope(execution, paths, site, (scope) => new ExecutionContext(scope)));
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

  get traceContext(): TraceContext | undefined {
    return this.#execution.start.trace;
  }

  get signal(): AbortSignal {
    return this.#site.branch.signal;
  }

  get historySize(): number {
    return this.#site.body.answers;
  }

  get attributes(): AttributeValues {
    return this.#site.body.attributes.values;
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
    return this.#own.call("step", name, undefined, () => {
      const path = this.#paths.next(name);
      const { steps } = this.#execution;
      return (site) => step(site, steps, { path, fn, options }) as Promise<Recorded<T>>;
    });
  }

  scope<T>(name: string, fn: (ctx: WorkflowContext) => T | Promise<T>, options: ScopeOptions = {}): Promise<T> {
    return inScope(this.#own, name, fn, options);
  }

  map<Item, Result>(
    items: Iterable<Item>,
    fn: (ctx: WorkflowContext, item: Item, index: number) => Result | Promise<Result>,
    options: MapOptions = {},
  ): Promise<Result[]> {
    return inItems(this.#own, items, fn, options);
  }

  race<Branches extends RaceBranches>(branches: Branches): Promise<RaceResult<Branches>> {
    // The names and values are those of the branches.
    return inRace(this.#own, branches) as Promise<RaceResult<Branches>>;
  }

  shield<T>(fn: (ctx: WorkflowContext) => T | Promise<T>, options: ShieldOptions = {}): Promise<T> {
    return inShield(this.#own, fn, options);
  }

  lock<T>(name: string, fn: WithLock<T>, options: LockOptions = {}): Promise<T> {
    return inLock(this.#own, name, 1, fn, options);
  }

  semaphore<T>(name: string, permits: number, fn: WithLock<T>, options: LockOptions = {}): Promise<T> {
    return inLock(this.#own, name, permits, fn, options);
  }

  limit(name: string, options: LimitOptions): Promise<void> {
    return onLimit(this.#own, name, options);
  }

  variable<T extends Recordable<T>>(
    name: string,
    initial: T | (() => T | Promise<T> | PromiseLike<T>),
  ): Promise<Variable<Recorded<T>>>;
  variable<T>(
    definition: VariableDefinition<T>,
    initial: NoInfer<T> | (() => NoInfer<T> | Promise<NoInfer<T>> | PromiseLike<NoInfer<T>>),
  ): Promise<Variable<T>>;
  variable<T>(given: VariableDefinition<T> | string, initial: unknown): Promise<Variable<T>> {
    const name = typeof given === "object" ? given.name : given;
    const refused = this.#own.refusal("variable", name);
    if (refused !== undefined) return called(() => refused);
    const known = this.#variables.get(name);
    if (known !== undefined) return known as Promise<Variable<T>>;
    this.#execution.handlers.onVariable();
    const made = called(() => {
      const make = typeof initial === "function" ? (initial as () => unknown) : () => initial;
      const isGiven = typeof initial !== "function";
      return variable<T>(this.#site, this.#paths.next(name), make, isGiven);
    });
    this.#variables.set(name, made);
    return made;
  }

  sleep(duration: Duration, options: SleepOptions = {}): Promise<void> {
    const { name = "sleep", signal } = options;
    return this.#own.call("sleep", name, signal, () => {
      const path = this.#paths.next(name);
      const delayMs = durationMs(duration);
      return (site) => sleep(site, path, delayMs);
    });
  }

  sleepUntil(moment: Date | number, options: SleepOptions = {}): Promise<void> {
    const { name = "sleep", signal } = options;
    return this.#own.call("sleepUntil", name, signal, () => {
      const path = this.#paths.next(name);
      const atMs = momentMs(moment);
      return (site) => sleepUntil(site, path, () => atMs);
    });
  }

  condition(
    holds: () => boolean,
    options?: AbortOptions & { readonly timeout?: undefined; readonly name?: string },
  ): Promise<void>;
  condition(holds: () => boolean, options: ConditionOptions): Promise<boolean>;
  condition(
    holds: () => boolean,
    options: { readonly timeout?: Duration | undefined } & Omit<ConditionOptions, "timeout"> = {},
  ): Promise<unknown> {
    return onCondition(this.#own, holds, options);
  }

  waitFor<Signal extends SignalDefinition | string>(
    signal: Signal,
    options?: AbortOptions & { readonly timeout?: undefined },
  ): Promise<SignalPayload<Signal>>;
  waitFor<Signal extends SignalDefinition | string>(
    signal: Signal,
    options: WaitOptions,
  ): Promise<WaitResult<SignalPayload<Signal>>>;
  waitFor(
    signal: SignalDefinition | string,
    options: { readonly timeout?: Duration | undefined } & AbortOptions = {},
  ): Promise<unknown> {
    return this.#own.call("waitFor", signal, options.signal, () => {
      const timeoutMs = options.timeout === undefined ? undefined : durationMs(options.timeout);
      const { name, schema } = typeof signal === "string" ? { name: signal, schema: undefined } : signal;
      const path = this.#paths.next(name);
      return (site) => waitFor(site, this.#execution.inbox, { path, name, timeoutMs, schema });
    });
  }

  token<Given, Answer>(name: string, options: TokenOptions<Given, Answer> = {}): Promise<Token<Answer>> {
    return this.#own.call("token", name, undefined, () => {
      const { timeout, schema } = options;
      const timeoutMs = timeout === undefined ? undefined : durationMs(timeout);
      const call = { path: this.#paths.next(name), name, timeoutMs, schema };
      // The type of the answer is the author's, or the schema's.
      return (site) => token(site, this.#execution.children, call) as Promise<Token<Answer>>;
    });
  }

  stream<Given extends Recordable<Given>>(name: string): StreamWriter<Given>;
  stream<Given>(definition: StreamDefinition<Given>): StreamWriter<Given>;
  stream(stream: StreamDefinition | string): StreamWriter {
    this.#site.guard.check("stream");
    const { name, schema } = typeof stream === "string" ? { name: stream, schema: undefined } : stream;
    escapedName(name);
    return new StreamHandle(this.#execution.streams, this.#paths.prefix, name, schema);
  }

  start<Workflow extends ChildWorkflow>(
    workflow: Workflow | ChildType<Workflow>,
    ...args: ChildArguments<Workflow>
  ): Promise<ChildHandle<WorkflowResult<Workflow>>> {
    const [input, options = {}] = args as readonly [input?: unknown, options?: ChildOptions];
    return this.#own.call("start", workflow, undefined, () => {
      const { children, handlers } = this.#execution;
      const call = childCall(workflow, input, options, {
        parent: this.#execution.start,
        paths: this.#paths,
        originOf: (path) => handlers.originOf(path),
      });
      return async (site) => {
        const child = await startChild(site, children, call);
        const result = ({ signal }: AbortOptions = {}): Promise<WorkflowResult<Workflow>> =>
          this.#own.call("result", child.runId, signal, () => async (own) => {
            return (await childResult(own, children, child)) as WorkflowResult<Workflow>;
          });
        return { runId: child.runId, result };
      };
    });
  }

  run<Workflow extends ChildWorkflow>(
    workflow: Workflow | ChildType<Workflow>,
    ...args: ChildArguments<Workflow>
  ): Promise<WorkflowResult<Workflow>> {
    return called(async () => {
      const child = await this.start(workflow, ...args);
      return await child.result();
    });
  }

  setAttributes(changes: AttributeUpdates): Promise<void> {
    const change = () => setAttributes(this.#site.body.attributes, this.#paths.next("attributes"), changes);
    return this.#own.call("setAttributes", undefined, undefined, change);
  }

  update<Update extends UpdateDefinition | string>(
    runId: string,
    update: Update,
    ...args: RunCallArguments<UpdateInput<Update>>
  ): Promise<UpdateResult<Update>> {
    const [input, options = {}] = args as readonly [input?: unknown, options?: RunCallOptions];
    const { name, input: schema } = typeof update === "string" ? { name: update, input: undefined } : update;
    const call = { runId, name, input, schema, object: undefined };
    // The answer has the type of the definition, as the record gives it back.
    return this.#callRun(options.name ?? name, options.signal, call) as Promise<UpdateResult<Update>>;
  }

  object<Definition extends TypedObject = TypedObject>(
    object: Definition | ObjectType<Definition>,
    key: string,
  ): CalledObject<Definition> {
    this.#site.guard.check("object");
    return calledObject(object, key, (name, signal, call) => this.#callRun(name, signal, call));
  }

  #callRun(name: string, signal: AbortSignal | undefined, call: Omit<RunCall, "path" | "origin">): Promise<unknown> {
    return this.#own.call("call", name, signal, () => {
      const path = this.#paths.next(name);
      const { handlers, children } = this.#execution;
      const origin = handlers.originOf(path);
      return (site) => callRun(site, children, { ...call, path, origin });
    });
  }

  continueAsNew(input?: unknown): Promise<never> {
    return this.#own.call("continueAsNew", undefined, undefined, () => {
      const execution = this.#execution;
      if (execution.handlers.owns(this.#site)) return () => this.#site.guard.refusalInHandler("continueAsNew");
      const bytes = encodeValue(input, `the next input of run ${this.runId}`, this.#site.maxPayloadBytes);
      return async (site) => {
        await site.gate();
        this.#execution.continueAsNew(bytes);
        // Handlers may go on for long: the wait for them takes no slot.
        await site.park(() => never<void>());
        return await never<never>();
      };
    });
  }

  onQuery<Answer, Input>(definition: QueryDefinition<Answer, Input>, handler: (input: Input) => Answer): void {
    this.#site.guard.check("onQuery");
    // What a caller gives has the type of the definition.
    this.#execution.queries.handle(definition.name, handler as (input: unknown) => unknown);
  }

  onUpdate<Answer, Given, Input, Output>(
    definition: UpdateDefinition<Answer, Given, Input, Output>,
    handler: (ctx: WorkflowContext, input: Input) => Output | Promise<Output> | PromiseLike<Output>,
    options: UpdateHandlerOptions<Input> = {},
  ): void {
    this.#site.guard.check("onUpdate");
    this.#execution.handlers.onUpdate(definition, handler, options);
  }

  on<Signal extends SignalDefinition | string>(
    signal: Signal,
    handler: (ctx: WorkflowContext, payload: SignalPayload<Signal>) => unknown,
  ): void {
    this.#site.guard.check("on");
    this.#execution.handlers.onSignal(signal, handler);
  }

  now(): Promise<number> {
    return this.#own.call("now", undefined, undefined, () => {
      const path = this.#paths.next("now");
      return (site) => now(site, path);
    });
  }

  patched(id: string): boolean {
    this.#site.guard.check("patched");
    return patched(this.#site, escapedName(id));
  }

  random(): number {
    this.#site.guard.check("random");
    return this.#seeded().random();
  }

  uuid(): string {
    this.#site.guard.check("uuid");
    return this.#seeded().uuid();
  }

  #seeded(): SeededRandom {
    this.#random ??= new SeededRandom(this.#execution.start.seed, this.#paths.prefix);
    return this.#random;
  }
}
