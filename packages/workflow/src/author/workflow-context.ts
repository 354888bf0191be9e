/** What a workflow's body is given. Everything that must survive a crash goes through it. */
import type { NodeId } from "@raftoral/raft-core";
import type { TraceContext } from "../model/trace-context.ts";
import type { AbortOptions } from "./abort-options.ts";
import type { AttributeUpdates, AttributeValues } from "./attributes.ts";
import type { ChildArguments, ChildHandle, ChildType, ChildWorkflow } from "./child.ts";
import type { BodyLock, LimitOptions, LockOptions } from "./lock.ts";
import type { ObjectType, TypedObject } from "./objects/typed-object.ts";
import type { QueryDefinition } from "./query.ts";
import type { CalledObject, RunCallArguments } from "./run-calls.ts";
import type { SignalDefinition, SignalPayload } from "./signal.ts";
import type { StreamDefinition, StreamWriter } from "./stream.ts";
import type { UpdateDefinition, UpdateHandlerOptions, UpdateInput, UpdateResult } from "./update.ts";
import type { Duration } from "./values/duration.ts";
import type { Recordable, Recorded } from "./values/recorded.ts";
import type { StandardSchemaV1 } from "./values/schema.ts";
import type { VariableDefinition } from "./variable.ts";
import type { WorkflowLog } from "./workflow-log.ts";
import type { WorkflowResult } from "./workflow-types.ts";

/** How often and when a failed step is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first included (5). They are counted over all owners of the run. */
  readonly attempts?: number;
  /** Before the second attempt ("200ms"). */
  readonly initialDelay?: Duration;
  /** No delay is longer ("30s"). */
  readonly maxDelay?: Duration;
  /** Each delay is this many times the one before (2). */
  readonly factor?: number;
  /** Part of each delay that is random, 0 to 1 (0.2). */
  readonly jitter?: number;
  /**
   * Whether a failed attempt is worth another one: asked after each failure but a TerminalError, with the number of the attempt, while attempts are left. What
   * it throws, the step fails with.
   */
  readonly retryIf?: (error: unknown, attempt: number) => boolean;
}

/** Options of a step. */
export interface StepOptions {
  /** When a failed attempt is followed by another. Without it the policy's defaults hold: five attempts within three seconds. `false`: one attempt. */
  readonly retry?: RetryPolicy | false;
  /** For one attempt. Its signal is aborted, and the attempt counts as failed. */
  readonly timeout?: Duration;
  /** How long an attempt may be silent, from its beginning and from each heartbeat. Its signal is aborted then, and the attempt counts as failed. */
  readonly heartbeatTimeout?: Duration;
  /**
   * For all attempts and the delays between them, from the beginning of the first one, over all owners. The signal of an attempt under way is aborted then, and
   * the step has failed for good; so it has when the next attempt would begin later.
   */
  readonly totalTimeout?: Duration;
}

/** Options of `ctx.map`. */
export interface MapOptions {
  /** Items that are under way at once (16). */
  readonly concurrency?: number;
  /** The name of the scope that the items' scopes are in ("map"). */
  readonly name?: string;
}

/** What one attempt of a step is given. */
export interface StepContext {
  /** From 1, counted over all owners. An attempt that was cut off with its node has failed nothing: the next owner's has its number. */
  readonly attempt: number;
  /** Aborted when a time limit is over, when the run is cancelled, and when this node is no longer the run's owner. */
  readonly signal: AbortSignal;
  /**
   * For outside systems, so that they carry out the work once: the same for every attempt of this step on any node, and another one for every other step, run
   * and cluster, also when a run's id is used again. 29 characters (`rk_`, then a to z and 2 to 7); opaque.
   */
  readonly idempotencyKey: string;
  /** See {@link WorkflowContext.fencingToken}. */
  readonly fencingToken: number;
  /** See {@link WorkflowContext.traceContext}. Hand it to the services that the step calls. */
  readonly traceContext: TraceContext | undefined;
  /**
   * Says that the attempt is alive and, with `details`, how far it has come: at most 64 KiB of JSON, which the next attempt gets. They are recorded at once and
   * then at most every half `heartbeatTimeout` (5 s at most), the latest always when the attempt fails. Does nothing once the attempt is over. Throws
   * PAYLOAD_TOO_LARGE or VALUE_NOT_SERIALIZABLE.
   */
  heartbeat<T extends Recordable<T>>(details?: T): void;
  /** What the last heartbeat with details said, in this attempt or one before, also on another node; undefined without one. */
  readonly heartbeatDetails: unknown;
}

/**
 * A value that every node holds. `value` is what the body last set, as it is recorded: `T` is a type that the record does not
 * change. Others see a change at most 20 ms and a commit later. Changes are carried out one after the other, in
 * the order of the calls.
 */
export interface Variable<T> {
  readonly value: T;
  get(): T;
  /** Resolves once the change is recorded, or will be together with the next record of the run. */
  set(value: T): Promise<void>;
  /**
   * Sets what `change` makes of the present value, and resolves with it. `change` must not alter the value that it gets, and must make the same of the
   * same value: after a crash it may be called again. Rejects with VariableFailedError when it fails, which is recorded too.
   */
  update(change: (value: T) => T): Promise<T>;
}

/** Options of a wait. */
export interface WaitOptions extends AbortOptions {
  /** How long the wait may take. The time counts across crashes. */
  readonly timeout: Duration;
}

/** Options of a token. */
export interface TokenOptions<Given = unknown, Answer = Given> {
  /** How long an answer may take. The time counts across crashes. As long as it takes by default. */
  readonly timeout?: Duration;
  /** Makes of an answer what the body gets. Callers that answer do not need it. */
  readonly schema?: StandardSchemaV1<Given, Answer>;
}

/** A token that somebody outside answers: `workflows.answer(id, value)` on any node and client. */
export interface Token<Answer = unknown> {
  /**
   * For those who answer: hand it out by a step. Text of letters, digits, `-`, `_` and `.` that stands in URLs as it is. It cannot be guessed, and it is the same
   * on every owner.
   */
  readonly id: string;
  /**
   * Waits for the answer; over at once when it is there. Rejects with TokenFailedError when somebody answered with a failure, TokenExpiredError when no answer came in
   * time, TOKEN_ANSWER_INVALID when the schema does not take the answer. An aborted wait consumes nothing. A token whose time is over expires where the body waits
   * for the answer; an answer that came before stands.
   */
  answer(options?: AbortOptions): Promise<Answer>;
}

/** Options of a condition. */
export interface ConditionOptions extends AbortOptions {
  /** How long the condition may take to hold. The time counts across crashes. */
  readonly timeout: Duration;
  /** Names the wait in the history ("condition"). */
  readonly name?: string;
}

/** Options of a sleep. */
export interface SleepOptions extends AbortOptions {
  /** Names the sleep in the history ("sleep"): for scopes in which more than one sleep may come and go with code changes. */
  readonly name?: string;
}

/** Options of a scope. */
export interface ScopeOptions extends AbortOptions {
  /**
   * How many steps of this scope, and of scopes in it, run at once; the others wait, in the order of their calls. A step waits until it has its record, its further
   * attempts included. Unbounded without it.
   */
  readonly concurrency?: number;
  /** How long the scope may take. Its calls are then cancelled with ScopeTimeoutError. The time counts across crashes. */
  readonly timeout?: Duration;
}

/** Options of a shield. */
export interface ShieldOptions {
  /** How long the shield may take ("1m"). Its calls are then cancelled with ScopeTimeoutError. */
  readonly timeout?: Duration;
  /** Names the shield in the history ("shield"). */
  readonly name?: string;
}

/** What a body does while it holds a lock. */
export type WithLock<T> = (ctx: WorkflowContext, lock: BodyLock) => T | Promise<T>;

/** Branches of a race, by name. */
export type RaceBranches = Readonly<Record<string, (ctx: WorkflowContext) => unknown>>;

/** Which branch of a race was first, and what it gave. */
export type RaceResult<Branches extends RaceBranches> = {
  readonly [Name in keyof Branches & string]: {
    readonly winner: Name;
    readonly value: Awaited<ReturnType<Branches[Name]>>;
  };
}[keyof Branches & string];

/** How a wait with a timeout ended. A signal without a payload is not a timeout: `payload` is undefined for both. */
export type WaitResult<Payload> =
  | { readonly timedOut: false; readonly payload: Payload }
  | { readonly timedOut: true; readonly payload?: undefined };

/**
 * A body must reach the same calls with the same names whenever the calls before them had the same results: it is run
 * again from its record when its node dies. Time, randomness, ids and input and output belong into the calls below.
 * Calls may run in parallel; give parallel branches that use the same names a {@link WorkflowContext.scope} each. Calls are
 * answered in the order of the log, each time: whatever wins a race wins it again, while a body awaits nothing but its calls.
 */
export interface WorkflowContext {
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  /** The node that executes the body. Differs from replay to replay: do not let it decide the course. */
  readonly nodeId: NodeId;
  /** How many owners the run has had, this one included. Differs from replay to replay. */
  readonly attempt: number;
  /**
   * The epoch of this node's ownership. Hand it to outside systems, which refuse lower ones than they have seen: so an owner
   * that does not know yet that it lost the run can do no harm.
   */
  readonly fencingToken: number;
  /**
   * The place in a distributed trace that the run was started from, in the form of the HTTP headers of W3C Trace Context; undefined without one. It is recorded with
   * the start: the same on every owner, in every generation and in every child.
   */
  readonly traceContext: TraceContext | undefined;
  /**
   * Aborted when the run, or the branch of the body that this context is of, is cancelled, and when this node is no longer the run's owner. Where the run
   * continues from its record, a cancellation aborts it after the answers that were recorded before.
   */
  readonly signal: AbortSignal;

  /** How many records the body has got in this generation, the same on replay. Replays take longer the more there are: {@link continueAsNew}. */
  readonly historySize: number;
  /** What the run is found by now: from its start, its earlier generations and {@link setAttributes}; the same on replay. */
  readonly attributes: AttributeValues;
  /**
   * Writes lines to the node's logger, with the run's id and type, and the scope, or the step and its attempt. A line of the body is written once, not on replay; it
   * comes again only where the owner died before the next record of the run was committed. Inside of a step it is written at every attempt. Never throws.
   */
  readonly log: WorkflowLog;

  /**
   * Runs `fn` and records what it returns, as JSON; a replay is answered from the record. `fn` runs at least once, its result
   * is recorded exactly once. Resolves with what is recorded, on the first run too ({@link Recorded}). Rejects with
   * StepFailedError when it failed for good, which is recorded too.
   */
  step<T extends Recordable<T>>(
    name: string,
    fn: (step: StepContext) => T | Promise<T> | PromiseLike<T>,
    options?: StepOptions,
  ): Promise<Recorded<T>>;
  /**
   * Gives `fn` a context whose names are its own. With options, the scope is cancelled when its time is over or its signal is aborted: the calls of its
   * context then reject, its steps are aborted, and what `fn` has left open when it settles is cancelled as well.
   */
  scope<T>(name: string, fn: (ctx: WorkflowContext) => T | Promise<T>, options?: ScopeOptions): Promise<T>;
  /**
   * Calls `fn` for each item, with a context whose names are the item's own, and at most `concurrency` items under way. Resolves with the results in the order of the
   * items. Rejects with the first failure: no further item begins then, and those under way are cancelled. Throws INPUT_INVALID for a concurrency that is no whole
   * number from 1.
   */
  map<Item, Result>(
    items: Iterable<Item>,
    fn: (ctx: WorkflowContext, item: Item, index: number) => Result | Promise<Result>,
    options?: MapOptions,
  ): Promise<Result[]>;
  /**
   * Runs branches, each with a context and names of its own. The first one that settles decides: resolves with its name and value, or rejects with its
   * error. The others are cancelled (their calls reject with BranchCancelledError, and consume nothing), and the race ends when they have ended.
   */
  race<Branches extends RaceBranches>(branches: Branches): Promise<RaceResult<Branches>>;
  /**
   * Gives `fn` a context whose calls work in a cancelled run too: for clean-up and compensation. Bounded in time. A cancelled run ends when its shields
   * have ended.
   */
  shield<T>(fn: (ctx: WorkflowContext) => T | Promise<T>, options?: ShieldOptions): Promise<T>;
  /**
   * Runs `fn`, with a context of its own, while this run and no one else in the cluster holds the lock. Waits in the order of asking, without a place among running bodies.
   * The lock is the run's, over takeovers too, until `fn` settles or the run ends. A wait that is aborted, cancelled or out of time consumes nothing. Rejects with
   * LockTimeoutError, and with LOCK_NESTED where the body holds the lock already.
   */
  lock<T>(name: string, fn: WithLock<T>, options?: LockOptions): Promise<T>;
  /** As {@link lock}, for a lock that `permits` hold at once. The latest number that code gives stands, and above it what an operator has defined. */
  semaphore<T>(name: string, permits: number, fn: WithLock<T>, options?: LockOptions): Promise<T>;
  /** Waits for a permit of a rate limiter that the whole cluster shares. What was granted is taken, whatever becomes of the run. Rejects with LockTimeoutError. */
  limit(name: string, options: LimitOptions): Promise<void>;
  /**
   * A replicated variable, which anybody reads from outside by its name (`run.variable`). `initial` may be a function. It is not called again once its value is recorded. Rejects with VariableFailedError when it
   * fails, which is recorded too.
   */
  variable<T extends Recordable<T>>(
    name: string,
    initial: T | (() => T | Promise<T> | PromiseLike<T>),
  ): Promise<Variable<Recorded<T>>>;
  /** The variable of a definition, which gives its value the type that readers outside of the run have, too. */
  variable<T>(
    definition: VariableDefinition<T>,
    initial: NoInfer<T> | (() => NoInfer<T> | Promise<NoInfer<T>> | PromiseLike<NoInfer<T>>),
  ): Promise<Variable<T>>;
  /** Waits, across crashes. */
  sleep(duration: Duration, options?: SleepOptions): Promise<void>;
  /** Waits until a moment: a Date, or milliseconds since the epoch. Over at once when the moment has passed. */
  sleepUntil(moment: Date | number, options?: SleepOptions): Promise<void>;
  /**
   * The payload of the next signal of this name, each one once, in order of arrival; also one that came before the wait. A definition gives the
   * payload its type. Of several waits for one name the oldest is answered first; one that was aborted, or whose branch was cancelled, consumes
   * nothing. A wait that lost a `Promise.race` goes on waiting and takes the next signal: use {@link race}. Rejects with SIGNAL_INVALID when the
   * definition's schema does not take what was sent.
   */
  waitFor<Signal extends SignalDefinition | string>(
    signal: Signal,
    options?: AbortOptions & { readonly timeout?: undefined },
  ): Promise<SignalPayload<Signal>>;
  /** With a timeout: says which of the two it was. The time counts across crashes. */
  waitFor<Signal extends SignalDefinition | string>(
    signal: Signal,
    options: WaitOptions,
  ): Promise<WaitResult<SignalPayload<Signal>>>;
  /**
   * A token that somebody outside of the run answers once: an approval by mail, a webhook. It is recorded, and the body goes on; `token.answer()` waits. Type the
   * answer (`ctx.token<Approval>("approval")`), or give a schema. Throws NAME_INVALID or DURATION_INVALID.
   */
  token<Answer = unknown>(name: string, options?: TokenOptions<Answer>): Promise<Token<Answer>>;
  token<Given, Answer>(name: string, options: TokenOptions<Given, Answer>): Promise<Token<Answer>>;
  /**
   * A stream of the run, for progress and tokens: any number of readers follow it, on any node and through the client, while the run goes on. The handle writes in
   * the body and inside of steps. The name is the run's, in every scope. A definition gives the chunks their type. Throws NAME_INVALID.
   */
  stream<Given extends Recordable<Given>>(name: string): StreamWriter<Given>;
  stream<Given>(definition: StreamDefinition<Given>): StreamWriter<Given>;
  /**
   * Asks another run to do something (`ctx.onUpdate` there), once, and gives its answer; takeovers of either run change nothing, and the wait takes no slot. Rejects with
   * UpdateFailedError when the handler throws, and with the codes that `run.update` rejects with for a refusal.
   */
  update<Update extends UpdateDefinition | string>(
    runId: string,
    update: Update,
    ...args: RunCallArguments<UpdateInput<Update>>
  ): Promise<UpdateResult<Update>>;
  /** The object of a definition under a key, to be called: `ctx.object(account, "alice").call("deposit", 10)`. Throws NAME_INVALID for what cannot be a key. */
  object<Definition extends TypedObject = TypedObject>(
    object: Definition | ObjectType<Definition>,
    key: string,
  ): CalledObject<Definition>;
  /**
   * Ends this generation of the run and begins the next one, with another input and an empty history, under the same id: for runs that go on for ever. The body does
   * not go on: `return ctx.continueAsNew(input)`. Signals that wait, children, the parent and the time limit stay the run's; streams and variables are the
   * generation's. Steps under way are given up, so call it when nothing else is.
   */
  continueAsNew(input?: unknown): Promise<never>;
  /**
   * Starts another run as a child of this one, on the least loaded node. Resolves once the child exists. Rejects with ChildFailedError when it cannot be started: no
   * node has registered the type (WORKFLOW_TYPE_UNKNOWN), its id is another run's (WORKFLOW_ID_CONFLICT), or its input is refused (INPUT_INVALID); the error's `failure`
   * says which.
   */
  start<Workflow extends ChildWorkflow>(
    workflow: Workflow | ChildType<Workflow>,
    ...args: ChildArguments<Workflow>
  ): Promise<ChildHandle<WorkflowResult<Workflow>>>;
  /** Starts a child and waits for its result: `start` and `result` in one. Takes no slot of the node while it waits. */
  run<Workflow extends ChildWorkflow>(
    workflow: Workflow | ChildType<Workflow>,
    ...args: ChildArguments<Workflow>
  ): Promise<WorkflowResult<Workflow>>;
  /**
   * Sets attributes, by which the run is found (`workflows.list`): those that are named, and no others; null takes one away. Takes no round of its own: the change is
   * committed with the next record. Attributes are the run's, in every scope and over all generations. Rejects with ATTRIBUTES_INVALID.
   */
  setAttributes(changes: AttributeUpdates): Promise<void>;
  /**
   * Waits until `holds` gives true: a function of variables and of what else the body keeps, which changes nothing. It is called when the body has come to
   * rest after each answer.
   */
  condition(
    holds: () => boolean,
    options?: AbortOptions & { readonly timeout?: undefined; readonly name?: string },
  ): Promise<void>;
  /** With a timeout: whether the condition came to hold in time. */
  condition(holds: () => boolean, options: ConditionOptions): Promise<boolean>;
  /**
   * Answers a query from outside (`run.query`): with what `handler` gives, at once, from variables and from what else the body keeps. The handler only reads: it
   * calls nothing on the context and changes nothing. It is called on the owner, and wherever the body is run again to be asked, also after the run's end. A name is the
   * run's, in every scope; the last handler of a name answers.
   */
  onQuery<Answer, Input>(definition: QueryDefinition<Answer, Input>, handler: (input: Input) => Answer): void;
  /**
   * Handles updates (`run.update`): `handler` is a part of the body, with a context whose names are its own, and what it gives is the caller's answer. It begins in the
   * order in which updates were accepted, and several may be under way at once. What it throws is the caller's failure, and not the run's. A body that returns ends once
   * its handlers have ended. A name is the run's, in every scope; the last handler of a name answers. Call it before the body waits for anything.
   */
  onUpdate<Answer, Given, Input, Output>(
    definition: UpdateDefinition<Answer, Given, Input, Output>,
    handler: (ctx: WorkflowContext, input: Input) => Output | Promise<Output> | PromiseLike<Output>,
    options?: UpdateHandlerOptions<Input>,
  ): void;
  /**
   * Handles signals: each one of the name begins `handler`, in their order, as a part of the body with a context whose names are its own. Several may be under way at
   * once. What it throws fails the run. An open `waitFor` of the name takes a signal before the handler does. A body that returns ends once its handlers have ended.
   */
  on<Signal extends SignalDefinition | string>(
    signal: Signal,
    handler: (ctx: WorkflowContext, payload: SignalPayload<Signal>) => unknown,
  ): void;
  /** The time in ms since the epoch, recorded. */
  now(): Promise<number>;
  /**
   * Whether the body is to take the new way of a change of its code: `if (ctx.patched("charge-first")) { new } else { old }`. True for runs that come to it for the
   * first time, also for those that began with older code and have no record beyond it; false where the record says that the run went the old way. One answer for
   * each id in a run. Remove the old way and the call once no older run is left.
   */
  patched(id: string): boolean;
  /** In `[0, 1)`, the same on replay. */
  random(): number;
  /** A version 4 UUID, the same on replay. */
  uuid(): string;
}
