/** What hears of the bodies of programs while they run. */
import type { WorkflowContext } from "@raftoral/workflow";

/** A body, as far as a probe tells bodies apart. */
export type Body = Pick<WorkflowContext, "runId" | "nodeId" | "fencingToken">;

/** What a body is of. */
export interface BodyCode {
  /** From 1. */
  readonly generation: number;
  /** Whether its code is from before all changes. */
  readonly isOld: boolean;
}

/** How a saga went, as its body saw it. */
export type SagaStage = "booked" | "kept" | "undone";

/** Hears of bodies. Nothing of it may change what a body does, but for `initialFails`. */
export interface ProgramProbe {
  /** A body begins. */
  began(body: Body, code: BodyCode): void;
  /** A step's function is called. `key` is the step's, over attempts and owners; `course` is all that the code before it was answered with. */
  stepCalled(body: Body, key: string, course: string): void;
  /**
   * A context call gave its answer to the body, or failed: with `isCancelled` because the run is cancelled. `step`: the path of the step that settled, also
   * because its branch has ended.
   */
  settled(body: Body, step: string | undefined, isCancelled: boolean): void;
  /** What a volatile step gives: never the same twice. */
  fresh(): number;
  /** The body has written its `n`th chunk at a place of the program. */
  wrote(body: Body, place: string, n: number): void;
  /** A step hands out a token, to be answered so many milliseconds later. The same token comes again when the step does. */
  handedOut(token: string, answerAfterMs: number): void;
  /** The body returns. `course`: all that the code outside of branches was answered with. */
  returned(body: Body, course: string): void;
  /** The initial function of a variable that fails once is called: whether it fails now. */
  initialFails(name: string): boolean;
  /** A booking of the saga whose paths begin with `prefix` has its name, or the saga has settled. */
  saga(body: Body, prefix: string, stage: SagaStage, booking?: string): void;
}

/** A probe that listens to nothing: for replays. */
export const SILENT_PROBE: ProgramProbe = Object.freeze({
  began() {},
  stepCalled() {},
  settled() {},
  fresh: () => 0,
  wrote() {},
  handedOut() {},
  returned() {},
  initialFails: () => true,
  saga() {},
});
