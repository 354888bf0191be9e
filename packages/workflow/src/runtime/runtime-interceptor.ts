/**
 * A test's way into a runtime: it hears of every body and every context call, and stands around every attempt of a step.
 *
 * Role: the only tie between the runtime and testing kits. Without an interceptor nothing is made for it. Its methods are called inside of the
 * body's turn, in the body's async context; what they throw reaches the body or the step as if the author's code had thrown it.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { RecordKind } from "../model/record.ts";
import type { Epoch } from "../model/runs/ownership.ts";
import type { RunOutcome } from "../model/runs/run-outcome.ts";

/** One body: a run as one node executes it. */
export interface InterceptedBody {
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
  /** Owners that the run had before this one. */
  readonly takeovers: number;
  /** Records that were there before the body began. */
  readonly replayed: number;
  /** Whether the same owner ran the body before, and took it out of memory while it rested. */
  readonly isResumed: boolean;
}

/** One context call of a body. */
export interface InterceptedCall {
  readonly body: InterceptedBody;
  readonly path: string;
  readonly kind: RecordKind;
  /** Whether the call is answered from the history. */
  readonly isReplay: boolean;
}

/** One attempt of a step. */
export interface InterceptedStep {
  readonly body: InterceptedBody;
  readonly path: string;
  /** From 1. */
  readonly attempt: number;
  /** The run's input as it is recorded. */
  readonly input: Uint8Array;
  readonly signal: AbortSignal;
}

/** What a testing kit implements to observe bodies and to replace attempts of steps. */
export interface RuntimeInterceptor {
  /** Around a body. Calls `run`, once, and gives its promise. */
  runBody(body: InterceptedBody, run: () => Promise<RunOutcome>): Promise<RunOutcome>;
  /** A body makes a context call. Called synchronously. */
  callBegins(call: InterceptedCall): void;
  /** The answer of a context call is about to be given to the body. */
  callAnswered(call: InterceptedCall): void;
  /**
   * A body is about to make a call after it has awaited something that is not recorded, while other calls are open (the event `foreign-await`). `call`: as its author
   * wrote it. Called once for each body; what it throws is the call's rejection.
   */
  foreignAwait(body: InterceptedBody, call: string): void;
  /** Around an attempt of a step: calls `run`, or gives or throws something in its place. A promise that never settles stands for a dead process. */
  runStep(step: InterceptedStep, run: () => unknown): unknown;
  /** Around what is no part of a body's course, and runs in its async context: the handler of a query, a schema. Calls `run`, once, and gives what `run` gives. */
  runAside<T>(run: () => T): T;
}
