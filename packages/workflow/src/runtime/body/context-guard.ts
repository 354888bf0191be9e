/**
 * Whether a call on a body's context comes from where it may.
 *
 * CG1. A call inside of the function of a step or variable is refused: a replay does not call the function, so that the call's record would
 *      belong to no call, and each attempt would make another.
 * CG2. A call from the body of another run is refused. Where the caller's async context is lost, nothing is known against it.
 * CG3. A call after the body has returned is refused, in a later turn of the event loop. What goes on calling all the same is answered only so
 *      often: no code waits for it, and it must not keep the node busy.
 * CG4. A refused call takes no path: the calls after it are those of a replay.
 */
import type { Clock } from "@raftoral/raft-core";
import { type ContextMisuse, ContextMisuseError } from "../../author/errors/errors.ts";
import { WorkflowError } from "../../errors.ts";
import { never } from "../history/history.ts";
import { inFunctionOf, type PlacedBody, placeOfCaller } from "./body-place.ts";

/** Calls after its end that a body's code is answered. */
const MAX_LATE_ANSWERS = 100;
/** Of a name, what a message shows. */
const SHOWN_NAME_LENGTH = 60;

/** The guard of one body's context. It answers each call with a refusal or lets it go on (CG1 to CG4). */
export class ContextGuard {
  readonly #body: PlacedBody;
  readonly #clock: Clock;
  #lateAnswers: number | undefined;

  constructor(body: PlacedBody, clock: Clock) {
    this.#body = body;
    this.#clock = clock;
  }

  /** The body has returned or thrown, and its outcome stands. */
  returned(): void {
    this.#lateAnswers ??= 0;
  }

  /** Runs the function of the step or variable at `path`: calls on contexts are refused in it (CG1). `attempt` is the step's, from 1. */
  run<T>(path: string, fn: () => T, attempt = 1): T {
    return inFunctionOf(this.#body, path, attempt, fn);
  }

  /**
   * Which function of the body is about to write to a stream; undefined for the body itself. Throws for code of another run, and where the caller's async
   * context is lost: a chunk of the body and one of a step are recorded in different ways.
   */
  writer(stream: string): { readonly place: string; readonly attempt: number } | undefined {
    const place = placeOfCaller();
    if (place === undefined) {
      throw new WorkflowError(
        "STREAM_CALLER_UNKNOWN",
        `Stream ${stream} of run ${this.#body.runId} was written to where the async context of its body is lost. Nothing was written. Write where the body or the step awaits, or bind the callback with AsyncResource.bind.`,
      );
    }
    if (place.body !== this.#body) throw this.#foreign("stream.write", stream, place.body.runId);
    return place.inside === undefined ? undefined : { place: place.inside, attempt: place.attempt };
  }

  /** A rejection for the call of a method that is about to be made, with a name if it has one; undefined for a call that may go on. */
  refusal(method: string, name?: unknown): Promise<never> | undefined {
    const misuse = this.#misuse(method, name);
    if (misuse !== undefined) return Promise.reject(misuse);
    if (this.#lateAnswers === undefined) return undefined;
    this.#lateAnswers += 1;
    if (this.#lateAnswers > MAX_LATE_ANSWERS) return never();
    const error = this.#error(
      "CONTEXT_ENDED",
      `${shownCall(method, name)} was called after the body of run ${this.#body.runId} had returned. Nothing was done. Await every call and every branch before the body returns.`,
    );
    return new Promise((_, reject) => this.#clock.soon(() => reject(error)));
  }

  /** A rejection for a call that only the body itself makes, and that one of its handlers has made. */
  refusalInHandler(method: string): Promise<never> {
    return Promise.reject(
      this.#error(
        "CONTEXT_IN_HANDLER",
        `${shownCall(method, undefined)} was called in a handler of run ${this.#body.runId}, whose end the run would wait for. Nothing was done. Call it in the body, say when a condition holds that the handler brings about.`,
      ),
    );
  }

  /** Throws for a call that is answered at once, from where it may not be made. */
  check(method: string): void {
    const misuse = this.#misuse(method, undefined);
    if (misuse !== undefined) throw misuse;
  }

  #misuse(method: string, name: unknown): ContextMisuseError | undefined {
    const place = placeOfCaller();
    if (place === undefined) return undefined;
    if (place.body === this.#body && place.inside === undefined) return undefined;
    const what = shownCall(method, name);
    const { runId } = this.#body;
    if (place.body !== this.#body && place.body.runId === runId && place.inside !== undefined) {
      return this.#error(
        "CONTEXT_IN_STEP",
        `${what} was called inside of ${place.inside} of run ${runId}, whose handler only reads. Nothing was done. Call it in the body.`,
      );
    }
    if (place.body !== this.#body) return this.#foreign(method, name, place.body.runId);
    return this.#error(
      "CONTEXT_IN_STEP",
      `${what} was called inside of ${place.inside} of run ${runId}, whose function a replay does not call. Nothing was done. Call it in the body, before or after.`,
    );
  }

  #foreign(method: string, name: unknown, caller: string): ContextMisuseError {
    return this.#error(
      "CONTEXT_FOREIGN",
      `${shownCall(method, name)} was called on the context of run ${this.#body.runId} by the body of run ${caller}. Nothing was done. Use the context that the body was given; to tell another run something, send it a signal.`,
    );
  }

  #error(code: ContextMisuse, message: string): ContextMisuseError {
    return new ContextMisuseError(code, message, { runId: this.#body.runId });
  }
}

/** A call as its author wrote it, with its name or the definition that has one. A name may be anything. */
export function shownCall(method: string, named: unknown): string {
  const name = typeof named === "object" && named !== null && "name" in named ? named.name : named;
  const argument = typeof name === "string" ? JSON.stringify(name.slice(0, SHOWN_NAME_LENGTH)) : "";
  return `ctx.${method}(${argument})`;
}
