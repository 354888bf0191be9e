/**
 * The handlers of one body that are under way: parts of the body that a message has begun.
 *
 * HR1. A handler begins at the turn of its message among the answers (answers.ts Q1), on the first run and on every replay, so the body takes the same course.
 * HR2. Its names are its own: its paths begin with that of its message. It is a branch of the body as a whole, whatever scope it was registered in.
 * HR3. A body that has returned ends when its handlers have ended.
 * HR4. Each handler under way knows what its calls follow from (call-chain.ts): the call that began it, or its own message.
 */
import { StepPaths } from "../../author/step-path.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { CallOrigin } from "../../model/runs/call-chain.ts";
import { Branch } from "../body/branch.ts";
import { inBranch } from "../calls/branches.ts";
import type { CallSite } from "../calls/call-site.ts";

/** Runs a function in the async context in which a handler was registered. */
export type InPlace = <T>(fn: () => T) => T;

/** A message whose handler is to begin, or is under way. */
export interface HandledMessage {
  /** Where its acceptance or receipt is recorded. */
  readonly path: string;
  /** What the handler's calls follow from; undefined for a message from outside until it is recorded. */
  readonly origin: CallOrigin | undefined;
}

/** Begins handlers, and knows when all have ended (HR1 to HR4). */
export class HandlerRuns {
  /** Where the calls of all handlers come from. */
  readonly site: CallSite;
  readonly #contextOf: (paths: StepPaths, site: CallSite) => WorkflowContext;
  /** Of the messages whose handlers are under way, by path. */
  readonly #open = new Map<string, CallOrigin | undefined>();
  #whenDrained: (() => void)[] = [];

  constructor(site: CallSite, contextOf: (paths: StepPaths, site: CallSite) => WorkflowContext) {
    this.site = site.within(new Branch(site.branch));
    this.#contextOf = contextOf;
  }

  /** Begins a handler for the message at `path`, in this turn. Settles with the handler. */
  begin<T>(path: string, inPlace: InPlace, handler: (ctx: WorkflowContext, site: CallSite) => Promise<T>): Promise<T> {
    const { site } = this;
    site.body.woken();
    return inBranch(site, new Branch(site.branch), {}, (own) =>
      inPlace(() => handler(this.#contextOf(new StepPaths(`${path}/`), own), own)),
    );
  }

  /** A message that has a handler, from its acceptance to the answer: the body ends after it (HR3). `run` never rejects. */
  track({ path, origin }: HandledMessage, run: () => Promise<void>): void {
    this.#open.set(path, origin);
    void run().finally(() => {
      this.#open.delete(path);
      if (this.#open.size === 0) for (const resolve of this.#whenDrained.splice(0)) resolve();
    });
  }

  /** A message from outside is recorded, and its handler's calls follow from it. */
  recorded(path: string, record: HistoryRecord): void {
    if (this.#open.has(path) && this.#open.get(path) === undefined) this.#open.set(path, this.outside(record));
  }

  /** What the calls of a handler follow from that a message from outside begins, which is recorded so. */
  outside({ recordedAtMs: atMs }: HistoryRecord): CallOrigin {
    return { chain: [], root: { runId: this.site.body.parts.run.runId, atMs } };
  }

  /** What the calls follow from that come from the handlers under way; undefined for one whose message is on its way to the log. */
  get open(): Iterable<CallOrigin | undefined> {
    return this.#open.values();
  }

  /** Whether a handler is under way. */
  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  /** What a call at `path` follows from; undefined for one that comes from no handler under way. */
  originOf(path: string): CallOrigin | undefined {
    const end = path.indexOf("/");
    return end === -1 ? undefined : this.#open.get(path.slice(0, end));
  }

  /** Undefined when no handler is under way; else resolves when none is. */
  drained(): Promise<void> | undefined {
    return this.isBusy ? new Promise((resolve) => this.#whenDrained.push(resolve)) : undefined;
  }

  /** Whether a call comes from a handler. */
  owns(site: CallSite): boolean {
    return site.branch.isWithin(this.site.branch);
  }
}
