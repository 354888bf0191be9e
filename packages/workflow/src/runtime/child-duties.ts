/**
 * The leader's part in what passes between parents and children: tells parents how their children ended, and children that their parents have ended.
 *
 * CD1. What is to be told is in the state (child-table.ts), so the next leader goes on with it. Telling twice, or by two leaders, harms nothing.
 * CD2. At most `REPORTS_AT_ONCE` reports are under way. What fails is tried again with the next occasion, after a second at the latest.
 * CD3. A result that is too large for the log is told as a failure of the child with PAYLOAD_TOO_LARGE, and is kept in the child.
 */
import type { Clock, Logger } from "@raftoral/raft-core";
import { recordedError } from "../author/errors/recorded-error.ts";
import { encodeValue } from "../author/values/json-value.ts";
import type { ChildEnded } from "../commands/messages/child-ended.ts";
import { WorkflowError } from "../errors.ts";
import type { RunOutcome } from "../model/runs/run-outcome.ts";
import type { UnreportedEnd } from "../state/runs/run-view.ts";
import type { RunEnded } from "../state/workflow-event.ts";
import type { WorkflowEngine } from "./engine/workflow-engine.ts";
import { Repeated } from "./repeated.ts";

/** Reports that are proposed at once. */
const REPORTS_AT_ONCE = 64;

/** What a {@link ChildDuties} is made of. */
export interface ChildDutiesOptions {
  readonly engine: WorkflowEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this node leads, and goes on. */
  readonly goOn: () => boolean;
}

/** The duties of one node; its owner calls it only while the node leads (CD1 to CD3). */
export class ChildDuties {
  readonly #options: ChildDutiesOptions;
  readonly #reports: Repeated;
  readonly #closing: Repeated;

  constructor(options: ChildDutiesOptions) {
    this.#options = options;
    const failed = (error: unknown): void =>
      options.logger.debug({ err: error }, "a report between parent and child waits for the next look");
    this.#reports = new Repeated(() => this.#report(), failed);
    this.#closing = new Repeated(() => this.#close(), failed);
  }

  /** A run has ended. */
  onEnd({ isChild, leavesChildren }: RunEnded): void {
    if (isChild) this.#reports.wanted();
    if (leavesChildren) this.#closing.wanted();
  }

  /** Looks after everything that may have been left. */
  look(hasClosingParents: boolean): void {
    this.#reports.wanted();
    if (hasClosingParents) this.#closing.wanted();
  }

  async #report(): Promise<void> {
    const { engine, goOn } = this.#options;
    while (goOn()) {
      const ends = await engine.unreportedEnds(REPORTS_AT_ONCE);
      if (ends.length === 0) return;
      await Promise.all(ends.map((end) => this.#tell(end)));
    }
  }

  async #tell(end: UnreportedEnd): Promise<void> {
    const { engine } = this.#options;
    try {
      await engine.propose(this.#commandOf(end, end.outcome));
    } catch (error) {
      if ((error as { code?: unknown }).code !== "PAYLOAD_TOO_LARGE") throw error;
      await engine.propose(this.#commandOf(end, { status: "failed", error: recordedError(tooLarge(end)) }));
    }
  }

  #commandOf({ parent, startIndex: childStart }: UnreportedEnd, outcome: RunOutcome): ChildEnded {
    const { runId, startIndex, path } = parent;
    const { status } = outcome;
    const atMs = this.#options.clock.wallMs();
    return { kind: "ChildEnded", runId, startIndex, path, status, value: endValue(outcome), childStart, atMs };
  }

  async #close(): Promise<void> {
    const { engine, clock, goOn } = this.#options;
    while (goOn()) {
      const result = await engine.propose({ kind: "CloseChildren", atMs: clock.wallMs() });
      if (!result.ok || result.kind !== "ChildrenTold" || !result.more) return;
    }
  }
}

function endValue(outcome: RunOutcome): Uint8Array {
  if (outcome.status === "completed") return outcome.result;
  const value = outcome.status === "failed" ? outcome.error : outcome.reason;
  return encodeValue(value, "how a child ended", Number.POSITIVE_INFINITY);
}

function tooLarge({ runId, outcome }: UnreportedEnd): WorkflowError {
  const bytes = outcome.status === "completed" ? outcome.result.length : 0;
  return new WorkflowError(
    "PAYLOAD_TOO_LARGE",
    `The result of child ${runId} has ${bytes} bytes, more than one entry of the log takes. Read it with the child's id, or return less.`,
  );
}
