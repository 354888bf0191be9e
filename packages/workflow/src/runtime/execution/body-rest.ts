/**
 * Whether a body may leave memory: whether a replay of what is recorded brings it to the place where it rests.
 *
 * BR1. Every open call is a wait that needs no slot. The body is neither cancelled, held, asked a query nor behind its history, and no update waits for its word.
 * BR2. Everything that it was answered with, has proposed, has written to streams or has asked of its children is committed.
 * BR3. Nothing has come for it since the last look. What came before that look has reached it: between two looks is a full turn of the event loop
 *      (residency.ts RE1).
 */
import type { Activity } from "../body/activity.ts";
import type { Answers } from "../body/answers.ts";
import type { Interruption } from "../body/interruption.ts";
import type { BodyHandlers } from "../handlers/body-handlers.ts";
import { type History, never } from "../history/history.ts";
import type { ChildRetries } from "../mending/child-retries.ts";
import type { BodyQueries } from "../queries/body-queries.ts";
import type { ChildCancels } from "./child-cancels.ts";

/** The parts of a body that its rest depends on. */
export interface RestingParts {
  readonly interruption: Interruption;
  readonly activity: Activity;
  readonly history: History;
  readonly answers: Answers;
  readonly queries: BodyQueries;
  readonly handlers: BodyHandlers;
  readonly childCancels: ChildCancels;
  /** Undefined unless the run was retried. */
  readonly childRetries: ChildRetries | undefined;
}

/** The rest of one body (BR1 to BR3). */
export class BodyRest {
  readonly #parts: RestingParts;
  #isStirred = true;

  constructor(parts: RestingParts) {
    this.#parts = parts;
  }

  /** Something comes for the body (BR3). */
  stir(): void {
    this.#isStirred = true;
  }

  /** Undefined when the body may leave memory now; else resolves when another look is worth while, or never while the body stays at rest. */
  staysUntil(): Promise<void> | undefined {
    const { interruption, activity, history, answers, queries, handlers, childCancels, childRetries } = this.#parts;
    if (!activity.isResting || interruption.isClosed || interruption.cancelled !== undefined) return never();
    if (this.#isStirred) {
      this.#isStirred = false;
      return Promise.resolve();
    }
    if (!history.isAllAsked) return new Promise((resolve) => history.whenAllAsked(resolve));
    return (
      handlers.judged() ??
      history.unsettled() ??
      childCancels.quiet() ??
      childRetries?.quiet() ??
      queries.idle() ??
      answers.empty()
    );
  }
}
