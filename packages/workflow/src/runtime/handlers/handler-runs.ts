/**
 * The handlers of one body that are under way: parts of the body that a message has begun.
 *
 * HR1. A handler begins at the turn of its message among the answers (answers.ts Q1), on the first run and on every replay, so the body takes the same course.
 * HR2. Its names are its own: its paths begin with that of its message. It is a branch of the body as a whole, whatever scope it was registered in.
 * HR3. A body that has returned ends when its handlers have ended.
 */
import { StepPaths } from "../../author/step-path.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import { Branch } from "../body/branch.ts";
import { inBranch } from "../calls/branches.ts";
import type { CallSite } from "../calls/call-site.ts";

/** Runs a function in the async context in which a handler was registered. */
export type InPlace = <T>(fn: () => T) => T;

/** Begins handlers, and knows when all have ended (HR1 to HR3). */
export class HandlerRuns {
  /** Where the calls of all handlers come from. */
  readonly site: CallSite;
  readonly #contextOf: (paths: StepPaths, site: CallSite) => WorkflowContext;
  #open = 0;
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
  track(run: () => Promise<void>): void {
    this.#open += 1;
    void run().finally(() => {
      this.#open -= 1;
      if (this.#open === 0) for (const resolve of this.#whenDrained.splice(0)) resolve();
    });
  }

  /** Undefined when no handler is under way; else resolves when none is. */
  drained(): Promise<void> | undefined {
    return this.#open === 0 ? undefined : new Promise((resolve) => this.#whenDrained.push(resolve));
  }

  /** Whether a call comes from a handler. */
  owns(site: CallSite): boolean {
    return site.branch.isWithin(this.site.branch);
  }
}
