/** The handlers of one body: what messages from outside begin in it. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { SettledEnd } from "../../author/settled-end.ts";
import type { SignalDefinition } from "../../author/signal.ts";
import type { StepPaths } from "../../author/step-path.ts";
import type { UpdateDefinition, UpdateHandlerOptions } from "../../author/update.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import type { HistoryRecord } from "../../model/record.ts";
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
    readonly history: readonly (readonly [path: string, record: HistoryRecord])[];
    readonly updates: readonly OpenUpdate[];
  };
  readonly contextOf: (paths: StepPaths, site: CallSite) => WorkflowContext;
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
  readonly #runId: string;
  #areSettable = false;

  constructor({ site, inbox, start, contextOf, onFailed }: BodyHandlersOptions) {
    this.#runs = new HandlerRuns(site, contextOf);
    this.#runId = start.runId;
    this.updates = new BodyUpdates(start, this.#runs);
    this.#signals = new SignalHandlers(this.#runs, inbox, onFailed);
  }

  /** `ctx.onUpdate`. To be called in the body: handlers run in the async context of this call. */
  onUpdate(
    { name, input, output }: UpdateDefinition,
    handler: Handler,
    { validate }: UpdateHandlerOptions<never>,
  ): void {
    this.updates.handle({
      name,
      input,
      output,
      // What a caller gives has the type of the definition, or of its schema.
      handler: handler as (ctx: WorkflowContext, input: unknown) => unknown,
      validate: validate as ((input: unknown) => unknown) | undefined,
      inPlace: AsyncLocalStorage.snapshot(),
    });
  }

  /** `ctx.variable`: from the body's first variable on, somebody outside may set its variables (settable-variables.ts). */
  onVariable(): void {
    const { body } = this.#runs.site;
    if (this.#areSettable || !this.#runs.site.behaves(BEHAVIOURS.settableVariables)) return;
    this.#areSettable = true;
    this.updates.handle(settingVariables(this.#runId, body));
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

  /** The body has returned, or has failed: no message begins anything more. */
  returned(): void {
    this.updates.returned();
    this.#signals.returned();
  }

  /** Resolves when no handler is under way. */
  drained(): Promise<void> {
    return this.#runs.drained();
  }

  /** Whether a call comes from a handler. */
  owns(site: CallSite): boolean {
    return this.#runs.owns(site);
  }
}
