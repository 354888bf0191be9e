/**
 * In whose body, and in which of its functions, code runs: the async context of what workflow authors write.
 *
 * Role: tells calls on a context of another body, calls inside of a step, and rejections that nothing handles from each other. It knows nothing of
 * executions.
 *
 * BP1. A body begins in a context of its own: nothing of the call that started the run, or of whatever woke this node, is visible in it.
 * BP2. What the runtime does for a body (proposals, log lines, events) happens outside of every body: a fault of the node is never taken for the
 *      author's.
 * BP3. What authors' code set in the async context (AsyncLocalStorage) around a context call holds in every function that the call calls, on the first run and on a
 *      replay: of whatever else calls it, and when, nothing is visible in it. What such a function sets itself (`enterWith`) ends with it.
 * BP4. A place outlives its body in whatever the body's code made (sockets, timers), and holds nothing of the body by then.
 */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

/** What a body hears of rejections in its code that nothing handled. */
export type StrayListener = (reason: unknown, inside: string | undefined) => void;

/** One body, as far as its code needs to be told apart. */
export class PlacedBody {
  readonly runId: string;
  #onStray: StrayListener;

  constructor(runId: string, onStray: StrayListener) {
    this.runId = runId;
    this.#onStray = onStray;
  }

  /** A promise that the body's code made was rejected, and nothing handled it. */
  strayRejection(reason: unknown, inside: string | undefined): void {
    this.#onStray(reason, inside);
  }

  /** The body is over: from now on `onStray` hears of what it left behind. It must hold nothing of the body (BP4). */
  release(onStray: StrayListener): void {
    this.#onStray = onStray;
  }
}

/** Where code runs. */
export interface BodyPlace {
  readonly body: PlacedBody;
  /** Path of the step or variable whose function runs; undefined in the body itself. */
  readonly inside: string | undefined;
  /** The step's attempt, from 1; 0 in the body itself, and in functions that are called once. */
  readonly attempt: number;
}

const place = new AsyncLocalStorage<BodyPlace | undefined>();

/** Runs a function outside of every body, in the async context of the moment in which this module was loaded (BP1, BP2). */
export const outsideBodies: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot();

/** Runs a body's code (BP1). */
export function inBody<T>(body: PlacedBody, fn: () => T): T {
  return outsideBodies(() => place.run({ body, inside: undefined, attempt: 0 }, fn));
}

/** Runs the function of a step or variable of a body, in the async context of the caller (BP3). `attempt` is the step's, from 1. */
export function inFunctionOf<T>(body: PlacedBody, path: string, attempt: number, fn: () => T): T {
  const at = { body, inside: path, attempt };
  return new AsyncResource("RAFTORAL_FUNCTION").runInAsyncScope(() => place.run(at, fn));
}

/** Runs a function of the node for a body, in the async context of the caller: outside of every body, with what the author's code set there (BP2, BP3). */
export function besideBodies<T>(fn: () => T): T {
  return place.run(undefined, fn);
}

/** The async context of the caller, to run functions in later (BP3). */
export class CallerContext {
  readonly #resource = new AsyncResource("RAFTORAL_CALL");

  /** Runs `fn` where the caller was that made this, wherever the call comes from. */
  run<T>(fn: () => T): T {
    return this.#resource.runInAsyncScope(fn);
  }
}

/** Where the caller is; undefined outside of every body, and where the caller's async context was lost. */
export function placeOfCaller(): BodyPlace | undefined {
  return place.getStore();
}
