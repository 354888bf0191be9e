/**
 * The leader's part in calls between runs: tells runs how the runs that they called have answered.
 *
 * AD1. What is to be told is in the state (state/owed-answers.ts), so the next leader goes on with it. Telling twice, or by two leaders, harms nothing.
 * AD2. At most `ANSWERS_AT_ONCE` answers are under way. What fails is tried again with the next occasion, after a second at the latest.
 * AD3. An answer that is too large for the log is told as a failure with PAYLOAD_TOO_LARGE.
 */
import type { Clock, Logger } from "@raftoral/raft-core";
import { recordedError } from "../author/errors/recorded-error.ts";
import { encodeValue } from "../author/values/json-value.ts";
import type { CallAnswered } from "../commands/messages/call-answered.ts";
import { WorkflowError } from "../errors.ts";
import type { OwedAnswer } from "../state/updates/owed-answers.ts";
import type { WorkflowEngine } from "./engine/workflow-engine.ts";
import { Repeated } from "./repeated.ts";

/** Answers that are proposed at once. */
const ANSWERS_AT_ONCE = 64;

/** What a {@link CallDuties} is made of. */
export interface CallDutiesOptions {
  readonly engine: WorkflowEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this node leads, and goes on. */
  readonly goOn: () => boolean;
}

/** The duties of one node; its owner calls it only while the node leads (AD1 to AD3). */
export class CallDuties {
  readonly #options: CallDutiesOptions;
  readonly #answers: Repeated;

  constructor(options: CallDutiesOptions) {
    this.#options = options;
    const failed = (error: unknown): void =>
      options.logger.debug({ err: error }, "an answer between runs waits for the next look");
    this.#answers = new Repeated(() => this.#tellAll(), failed);
  }

  /** Looks after everything that may be owed. */
  look(): void {
    this.#answers.wanted();
  }

  async #tellAll(): Promise<void> {
    const { engine, goOn } = this.#options;
    while (goOn()) {
      const owed = await engine.owedAnswers(ANSWERS_AT_ONCE);
      if (owed.length === 0) return;
      await Promise.all(owed.map((answer) => this.#tell(answer)));
    }
  }

  async #tell(answer: OwedAnswer): Promise<void> {
    const { engine } = this.#options;
    try {
      await engine.propose(this.#commandOf(answer));
    } catch (error) {
      if ((error as { code?: unknown }).code !== "PAYLOAD_TOO_LARGE") throw error;
      const value = encodeValue(recordedError(tooLarge(answer)), "an answer", Number.POSITIVE_INFINITY);
      await engine.propose(this.#commandOf({ ...answer, status: "failed", value }));
    }
  }

  #commandOf({ caller, startIndex: answeredStart, number, status, value }: OwedAnswer): CallAnswered {
    const { runId, startIndex, path } = caller;
    const atMs = this.#options.clock.wallMs();
    return { kind: "CallAnswered", runId, startIndex, path, status, value, answeredStart, number, atMs };
  }
}

function tooLarge({ caller, value }: OwedAnswer): WorkflowError {
  return new WorkflowError(
    "PAYLOAD_TOO_LARGE",
    `The answer to call ${caller.path} of run ${caller.runId} has ${value.length} bytes, more than one entry of the log takes. Return less.`,
  );
}
