/** The handlers of one body: what messages from outside begin in it. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { SettledEnd } from "../../author/settled-end.ts";
import type { SignalDefinition } from "../../author/signal.ts";
import type { StepPaths } from "../../author/step-path.ts";
import type { OwnUpdateOptions, UpdateDefinition } from "../../author/update.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import type { CallOrigin } from "../../model/call-chain.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { OpenUpdate } from "../../model/update.ts";
import type { SignalInbox } from "../body/signal-inbox.ts";
import type { CallSite } from "../calls/call-site.ts";
import { BodyUpdates } from "./body-updates.ts";
import { HandlerRuns } from "./handler-runs.ts";
import { SignalHandlers } from "./signal-handlers.ts";

/** What {@link BodyHandlers} is made of. */
export interface BodyHandlersOptions {
  /** Of the body as a whole. */
  readonly site: CallSite;
  readonly inbox: SignalInbox;
  readonly start: {
    readonly runId: string;
    readonly startIndex: number;
    readonly history: readonly (readonly [path: string, record: HistoryRecord])[];
    readonly updates: readonly OpenUpdate[];
    readonly calledBy: CallOrigin | undefined;
  };
  readonly contextOf: (paths: StepPaths, site: CallSite) => WorkflowContext;
  /** Whether the body waits for the record at this path, which somebody else writes. */
  readonly awaits: (path: string) => boolean;
  /** A handler of a signal has failed. */
  readonly onFailed: (error: unknown) => void;
}

type Handler = (ctx: WorkflowContext, value: never) => unknown;

/** Registers handlers and follows them to their ends. */
export class BodyHandlers {
  readonly updates: BodyUpdates;
  /** What the body has returned if it leaves its end open until its handlers have ended. */
  settledEnd: SettledEnd | undefined;
  readonly #runs: HandlerRuns;
  readonly #signals: SignalHandlers;
  readonly #calledBy: CallOrigin | undefined;

  constructor({ site, inbox, start, contextOf, awaits, onFailed }: BodyHandlersOptions) {
    this.#runs = new HandlerRuns(site, contextOf);
    this.#calledBy = start.calledBy;
    this.updates = new BodyUpdates(start, this.#runs, awaits);
    this.#signals = new SignalHandlers(this.#runs, inbox, onFailed);
  }

  /** `ctx.onUpdate`. To be called in the body: handlers run in the async context of this call. */
  onUpdate(
    { name, input, output }: UpdateDefinition,
    handler: Handler,
    { validate, isExclusive = false, onRefused }: OwnUpdateOptions<never>,
  ): void {
    this.updates.handle({
      name,
      input,
      output,
      // What a caller gives has the type of the definition, or of its schema.
      handler: handler as (ctx: WorkflowContext, input: unknown) => unknown,
      validate: validate as ((input: unknown) => unknown) | undefined,
      isExclusive,
      onRefused,
      inPlace: AsyncLocalStorage.snapshot(),
    });
  }

  /** `ctx.on`. As {@link onUpdate}. */
  onSignal(signal: SignalDefinition | string, handler: Handler): void {
    const { name, schema } = typeof signal === "string" ? { name: signal, schema: undefined } : signal;
    this.#signals.handle({
      name,
      schema,
      handler: handler as (ctx: WorkflowContext, payload: unknown) => unknown,
      inPlace: AsyncLocalStorage.snapshot(),
    });
  }

  /** The body has begun, and has registered what it registers before it waits. */
  begin(): void {
    this.updates.begin();
  }

  /** The body has returned, or has failed: no message begins anything more, but for those that handlers may wait for (late-calls.ts). */
  returned(hasFailed: boolean): void {
    this.updates.returned(hasFailed);
    this.#signals.returned();
  }

  /** Resolves when no handler is under way. */
  drained(): Promise<void> {
    return this.#runs.drained();
  }

  /** Whether a handler is under way. */
  get isBusy(): boolean {
    return this.#runs.isBusy;
  }

  /** What a call at `path` follows from; undefined for one of a body that nothing waits for. */
  originOf(path: string): CallOrigin | undefined {
    return this.#runs.originOf(path) ?? this.#calledBy;
  }

  /** Whether a call comes from a handler. */
  owns(site: CallSite): boolean {
    return this.#runs.owns(site);
  }
}
