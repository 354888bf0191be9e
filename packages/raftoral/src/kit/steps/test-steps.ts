/**
 * Steps of a test cluster: mocks in the place of their functions, and what was called.
 *
 * M1. The latest mock that fits a step answers it. A step without one runs its own function, unless unmocked steps are forbidden.
 * M2. Every attempt is noted, mocked or not, in the order in which attempts began.
 */
import { AssertionError } from "node:assert";
import type { StepCall } from "./step-call.ts";
import { type StepFilter, StepMock } from "./step-mock.ts";

/** How often a step must have run. */
export interface StepCount extends StepFilter {
  /** Exactly so many attempts. */
  readonly times?: number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** The steps of a {@link TestCluster} (M1, M2): mock them, and read which attempts began. */
export class TestSteps {
  readonly #mocks: StepMock[] = [];
  readonly #calls: StepCall[] = [];
  #forbidsUnmocked = false;

  /**
   * Puts `answer` in the place of the function of every step of this name that `filter` fits: a value; a function, which gets the call and
   * may be async; {@link throws} for a failed attempt; {@link inTurn} for one answer for each attempt. Returns the way to take the mock back.
   */
  mock(name: string, answer: (call: StepCall) => unknown, filter?: StepFilter): () => void;
  mock(name: string, answer: unknown, filter?: StepFilter): () => void;
  mock(name: string, answer: unknown, filter: StepFilter = {}): () => void {
    const mock = new StepMock(name, answer, filter);
    this.#mocks.unshift(mock);
    return () => {
      const at = this.#mocks.indexOf(mock);
      if (at !== -1) this.#mocks.splice(at, 1);
    };
  }

  /** Steps without a mock fail from now on, for good, instead of running. */
  forbidUnmocked(): void {
    this.#forbidsUnmocked = true;
  }

  /** Attempts so far, in the order in which they began. */
  calls(name?: string, filter: StepFilter = {}): readonly StepCall[] {
    if (name === undefined) return [...this.#calls];
    const sought = new StepMock(name, undefined, filter);
    return this.#calls.filter((call) => sought.matches(call));
  }

  /** Names of the steps that ran, in the order of their first attempts. */
  get names(): readonly string[] {
    return [...new Set(this.#calls.map(({ name }) => name))];
  }

  /** Throws an AssertionError unless the step's function ran as often as `count` says; at least once where it says nothing. */
  assertRan(name: string, count: StepCount = {}): void {
    const { times, atLeast = times ?? 1, atMost = times ?? Number.POSITIVE_INFINITY, ...filter } = count;
    const ran = this.calls(name, filter).length;
    if (ran >= Math.min(atLeast, atMost) && ran <= atMost) return;
    const wanted = times === undefined ? `at least ${atLeast} and at most ${atMost} times` : `${times} times`;
    throw new AssertionError({
      message: `Step ${name} was to run ${wanted} and ran ${ran} times. Steps that ran: ${this.names.join(", ") || "none"}.`,
      actual: ran,
      expected: times ?? atLeast,
      operator: "assertRan",
    });
  }

  /** Throws an AssertionError if the step's function ran. */
  assertNeverRan(name: string, filter: StepFilter = {}): void {
    this.assertRan(name, { ...filter, times: 0 });
  }

  /** Notes an attempt. For the cluster. */
  note(call: StepCall): void {
    this.#calls.push(call);
  }

  /** The mock for a step, and whether the step's own function may run. For the cluster. */
  mockFor(call: Pick<StepCall, "name" | "workflowType" | "runId" | "occurrence" | "path">): {
    readonly mock: StepMock | undefined;
    readonly mayRun: boolean;
  } {
    return { mock: this.#mocks.find((mock) => mock.matches(call)), mayRun: !this.#forbidsUnmocked };
  }
}
