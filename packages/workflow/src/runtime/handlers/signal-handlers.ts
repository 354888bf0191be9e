/**
 * `ctx.on`: handlers of one body that each signal of a name begins.
 *
 * SH1. Signals are received one after the other, each by a command of its own, and begin their handlers in the order of the log. Several may be under way at once.
 * SH2. A wait for the name that is open gets a signal before the handler does (signal-waits.ts SW1). Signals that were kept go to a handler that is registered.
 * SH3. What a handler throws fails the run.
 * SH4. A body that has returned, or whose run somebody has asked to cancel, receives nothing more.
 */

import { escapedName } from "../../author/step-path.ts";
import { decodeValue } from "../../author/values/json-value.ts";
import { type StandardSchemaV1, signalOf } from "../../author/values/schema.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import type { SignalInbox } from "../body/signal-inbox.ts";
import type { Receipt } from "../body/signal-waits.ts";
import type { CallSite } from "../calls/call-site.ts";
import { parsed } from "../calls/parsed.ts";
import { Latch } from "../collections/latch.ts";
import { never } from "../history/history.ts";
import type { HandlerRuns, InPlace } from "./handler-runs.ts";

/** What handles the signals of one name. */
export interface SignalHandling {
  readonly name: string;
  readonly schema: StandardSchemaV1 | undefined;
  readonly handler: (ctx: WorkflowContext, payload: unknown) => unknown;
  readonly inPlace: InPlace;
}

/** The signal handlers of one body (SH1 to SH4). */
export class SignalHandlers {
  /** Of the body as a whole. */
  readonly #site: CallSite;
  readonly #runs: () => HandlerRuns;
  readonly #inbox: SignalInbox;
  readonly #onFailed: (error: unknown) => void;
  readonly #handlers = new Map<string, SignalHandling>();
  readonly #returned = new Latch();
  #isOpen = true;

  /** `onFailed`: hears of what a handler throws (SH3). */
  constructor(site: CallSite, runs: () => HandlerRuns, inbox: SignalInbox, onFailed: (error: unknown) => void) {
    this.#site = site;
    this.#runs = runs;
    this.#inbox = inbox;
    this.#onFailed = onFailed;
  }

  /** From now on this handles the signals of its name. */
  handle(handling: SignalHandling): void {
    const { name } = handling;
    const escaped = escapedName(name);
    const isNew = !this.#handlers.has(name);
    this.#handlers.set(name, handling);
    const { body } = this.#site;
    body.hasHandlers = true;
    body.signals.handle(name, (receipt) => this.#begin(name, receipt));
    if (isNew) void this.#receiveAll(name, escaped).catch(this.#onFailed);
  }

  /** The body has returned, or has failed (SH4). */
  returned(): void {
    this.#isOpen = false;
    this.#returned.open();
  }

  get #receives(): boolean {
    const { interruption } = this.#site.body.parts;
    return this.#isOpen && !interruption.isClosed && interruption.cancelled === undefined;
  }

  /** Asks for signals, each under a path of its own. Ends with the body. */
  async #receiveAll(name: string, escaped: string): Promise<void> {
    const { body } = this.#site;
    for (let number = 0; ; number++) {
      // No call's path: those have digits behind the `#`.
      const path = `${escaped}#s${number}`;
      const receipt = await this.#received(name, path);
      if (receipt === undefined || body.parts.interruption.isOver) return;
      body.answers += 1;
      body.parts.interception?.callAnswered(path, "signal", receipt.isReplay);
      body.signals.deliver(name, receipt);
    }
  }

  /** The next signal, at its turn; undefined when the body asks for none any more. */
  async #received(name: string, path: string): Promise<Receipt | undefined> {
    const { site } = this.#runs();
    const { body, history } = site;
    const { interception } = body.parts;
    interception?.callBegins(path, "signal", history.has(path));
    const found = history.find(path, "signal");
    if (found !== undefined) {
      await body.recorded(found.position);
      return { record: found, path, isReplay: true };
    }
    await new Promise<void>((resolve) => history.whenAllAsked(resolve));
    for (;;) {
      const staged = history.staged();
      if (!this.#receives) return undefined;
      if (staged !== undefined) await staged;
      else if (this.#inbox.claim(name, path)) {
        const receive = () => history.receive(path, name, false);
        const record = await body.receipt(() => site.fresh(path, receive));
        if (record !== undefined) return { record, path, isReplay: false };
      } else {
        const { promise, resolve } = Promise.withResolvers<void>();
        const stop = this.#inbox.listen(name, resolve);
        await Promise.race([promise, this.#returned.opened]);
        stop();
      }
    }
  }

  /** A signal has its turn, and no wait takes it. */
  #begin(name: string, { record, path }: Receipt): void {
    const { interruption } = this.#site.body.parts;
    const runs = this.#runs();
    runs.track({ path, origin: runs.outside(record) }, async () => {
      const handling = this.#handlers.get(name);
      // A body that is held begins nothing, and does not end either; the next owner finds the record.
      if (handling === undefined || interruption.isClosed) return never();
      try {
        await runs.begin(path, handling.inPlace, (ctx, site) => handled(ctx, site, handling, { record, path }));
      } catch (error) {
        this.#onFailed(error);
      }
    });
  }
}

async function handled(
  ctx: WorkflowContext,
  site: CallSite,
  { name, schema, handler }: SignalHandling,
  { record, path }: Omit<Receipt, "isReplay">,
): Promise<unknown> {
  const raw = decodeValue(record.value, `signal ${name}`);
  if (schema === undefined) return await handler(ctx, raw);
  const payload = await site.call(() => parsed(site, { path: `${path}/parsed`, schema, raw, subject: signalOf(name) }));
  return await handler(ctx, payload);
}
