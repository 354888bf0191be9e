/** The handlers of one body: what messages from outside begin in it. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { SettledEnd } from "../../author/errors/settled-end.ts";
import type { SignalDefinition } from "../../author/signal.ts";
import type { StepPaths } from "../../author/step-path.ts";
import type { OwnUpdateOptions, UpdateDefinition } from "../../author/update.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { CallOrigin } from "../../model/runs/call-chain.ts";
import type { OpenUpdate } from "../../model/update.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import type { SignalInbox } from "../body/signal-inbox.ts";
import type { CallSite } from "../calls/call-site.ts";
import { BodyUpdates } from "./body-updates.ts";
import { HandlerRuns } from "./handler-runs.ts";
import { settingVariables } from "./settable-variables.ts";
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

/** What a body with handlers, or with updates, has. */
interface Made {
  readonly updates: BodyUpdates;
  readonly signals: SignalHandlers;
}

/**
 * Registers handlers and follows them to their ends.
 *
 * BH1. Nothing is made for a body that registers no handler and gets no update: most do not. The branch of the handlers is made with the first one that is registered, which is
 *      at one place of the body's course.
 */
export class BodyHandlers {
  /** What the body has returned if it leaves its end open until its handlers have ended. */
  settledEnd: SettledEnd | undefined;
  readonly #options: BodyHandlersOptions;
  #made: Made | undefined;
  #runs: HandlerRuns | undefined;
  #hasBegun = false;
  /** How the body has ended, once it has. */
  #returned: { readonly hasFailed: boolean } | undefined;
  #areSettable = false;

  constructor(options: BodyHandlersOptions) {
    this.#options = options;
    if (options.start.updates.length > 0) this.#all();
  }

  #all(): Made {
    if (this.#made !== undefined) return this.#made;
    const { start, site, inbox, awaits, onFailed } = this.#options;
    const runs = (): HandlerRuns => this.#handlerRuns();
    this.#made = {
      updates: new BodyUpdates(start, site, runs, awaits),
      signals: new SignalHandlers(site, runs, inbox, onFailed),
    };
    if (this.#hasBegun) this.#made.updates.begin();
    if (this.#returned !== undefined) this.returned(this.#returned.hasFailed);
    return this.#made;
  }

  #handlerRuns(): HandlerRuns {
    this.#runs ??= new HandlerRuns(this.#options.site, this.#options.contextOf);
    return this.#runs;
  }

  /** `ctx.onUpdate`. To be called in the body: handlers run in the async context of this call. */
  onUpdate(
    { name, input, output }: UpdateDefinition,
    handler: Handler,
    { validate, isExclusive = false, onRefused }: OwnUpdateOptions<never>,
  ): void {
    this.#handlerRuns();
    this.#all().updates.handle({
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

  /** `ctx.variable`: from the body's first variable on, somebody outside may set its variables (settable-variables.ts). */
  onVariable(): void {
    const { site, start } = this.#options;
    if (this.#areSettable || !site.behaves(BEHAVIOURS.settableVariables)) return;
    this.#areSettable = true;
    this.#handlerRuns();
    this.#all().updates.handle(settingVariables(start.runId, site.body));
  }

  /** `ctx.on`. As {@link onUpdate}. */
  onSignal(signal: SignalDefinition | string, handler: Handler): void {
    this.#handlerRuns();
    const { name, schema } = typeof signal === "string" ? { name: signal, schema: undefined } : signal;
    this.#all().signals.handle({
      name,
      schema,
      handler: handler as (ctx: WorkflowContext, payload: unknown) => unknown,
      inPlace: AsyncLocalStorage.snapshot(),
    });
  }

  /** The body has begun, and has registered what it registers before it waits. */
  begin(): void {
    this.#hasBegun = true;
    this.#made?.updates.begin();
  }

  /** The run has another update. */
  arrived(update: OpenUpdate): void {
    this.#all().updates.arrived(update);
  }

  /** A snapshot has taken the place of events: these are not answered. */
  reset(updates: readonly OpenUpdate[]): void {
    if (updates.length > 0 || this.#made !== undefined) this.#all().updates.reset(updates);
  }

  /** Number of the update that came last. */
  get latestUpdate(): number {
    return this.#made?.updates.latest ?? 0;
  }

  /** Undefined when every update that has come is accepted or refused; else resolves when another look is worth while. */
  judged(): Promise<void> | undefined {
    return this.#made?.updates.judged();
  }

  /** The body has returned, or has failed: no message begins anything more, but for those that handlers may wait for (late-calls.ts). */
  returned(hasFailed: boolean): void {
    this.#returned = { hasFailed };
    this.#made?.updates.returned(hasFailed);
    this.#made?.signals.returned();
  }

  /** Undefined when no handler is under way; else resolves when none is. */
  drained(): Promise<void> | undefined {
    return this.#runs?.drained();
  }

  /** What a call at `path` follows from; undefined for one of a body that nothing waits for. */
  originOf(path: string): CallOrigin | undefined {
    return this.#runs?.originOf(path) ?? this.#options.start.calledBy;
  }

  /** Whether a call comes from a handler. */
  owns(site: CallSite): boolean {
    return this.#runs?.owns(site) === true;
  }
}
