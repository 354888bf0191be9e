/** What stands in the place of a step's function. */
import type { StepCall } from "./step-call.ts";

/** Which steps a mock is for. Every condition given must hold. */
export interface StepFilter {
  /** A workflow's definition, or its type. */
  readonly workflow?: string | { readonly type: string };
  readonly runId?: string;
  /** Which step of the name within its scope, from 1. */
  readonly occurrence?: number;
  /** The whole path, for a step within scopes: `ship/label#0`. */
  readonly path?: string;
}

/** What a mock does: gives a value, throws an error, or calls a function in the step's place. */
export type MockAnswer =
  | { readonly value: unknown }
  | { readonly error: unknown }
  | { readonly call: (call: StepCall) => unknown };

/** Marks an answer of {@link MockSequence} as thrown instead of given. */
export class Throws {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** A step that fails in place of giving a value: `steps.mock("charge", throws(new Error("declined")))`. */
export function throws(error: unknown): Throws {
  return new Throws(error);
}

/** Answers of successive attempts. */
export class Sequence {
  readonly answers: readonly unknown[];

  constructor(answers: readonly unknown[]) {
    this.answers = answers;
  }
}

/** One answer for each attempt, in order; the last one stays: `steps.mock("charge", inTurn(throws(new Error("busy")), { id: "c1" }))`. */
export function inTurn(...answers: readonly unknown[]): Sequence {
  if (answers.length === 0) throw new TypeError("inTurn has no answers. Give at least one.");
  return new Sequence(answers);
}

/** One mock: a filter, an answer, and how often it answered. */
export class StepMock {
  readonly name: string;
  readonly filter: StepFilter;
  readonly #answer: unknown;
  #calls = 0;

  constructor(name: string, answer: unknown, filter: StepFilter) {
    this.name = name;
    this.filter = filter;
    this.#answer = answer;
  }

  matches(call: Pick<StepCall, "name" | "workflowType" | "runId" | "occurrence" | "path">): boolean {
    const { workflow, runId, occurrence, path } = this.filter;
    const type = typeof workflow === "object" ? workflow.type : workflow;
    return (
      call.name === this.name &&
      (type === undefined || type === call.workflowType) &&
      (runId === undefined || runId === call.runId) &&
      (occurrence === undefined || occurrence === call.occurrence) &&
      (path === undefined || path === call.path)
    );
  }

  /** The answer of the next attempt. Throws what the mock is to throw. */
  answer(call: StepCall): unknown {
    const given = this.#answer;
    const answer = given instanceof Sequence ? given.answers[Math.min(this.#calls, given.answers.length - 1)] : given;
    this.#calls += 1;
    if (answer instanceof Throws) throw answer.error;
    return typeof answer === "function" ? answer(call) : answer;
  }
}
