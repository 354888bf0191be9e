/**
 * Rejections that nothing handles, told apart by the body whose code they come from.
 *
 * Role: stands in front of the process's `unhandledRejection` event. By default Node ends the process after one; a rejection in a body's code is the
 * business of its run alone, so it goes there and nowhere else.
 *
 * SR1. A rejection outside of every body takes its ordinary course, with whatever listeners and flags the process has.
 * SR2. A rejection in a body's code reaches no listener of the process: such listeners often end it.
 */
import { recordedError } from "../../author/errors/recorded-error.ts";
import { WorkflowError } from "../../errors.ts";
import { placeOfCaller } from "./body-place.ts";

let isWatching = false;

/** Begins to tell bodies of their rejections, for the rest of the process's life. Idempotent. */
export function watchStrayRejections(): void {
  if (isWatching) return;
  isWatching = true;
  const emit = process.emit as (this: NodeJS.Process, name: string | symbol, ...args: unknown[]) => boolean;
  const emitted = function (this: NodeJS.Process, name: string | symbol, ...args: unknown[]): boolean {
    // Node restores the async context of the rejected promise around this event.
    const place = name === "unhandledRejection" ? placeOfCaller() : undefined;
    if (place === undefined) return Reflect.apply(emit, this, [name, ...args]);
    place.body.strayRejection(args[0], place.inside);
    return true;
  };
  process.emit = emitted as typeof process.emit;
}

/** What a run fails with whose code left a rejection that nothing handled. `inside`: path of the step or variable whose function it was in. */
export function unhandledRejection(reason: unknown, inside: string | undefined): WorkflowError {
  const where = inside === undefined ? "in the body" : `inside of ${inside}`;
  const cause = recordedError(reason);
  return new WorkflowError(
    "REJECTION_UNHANDLED",
    `A promise ${where} was rejected, and nothing handled it: ${cause.name}: ${cause.message}. Await every promise, or catch its rejection.`,
    { cause: reason },
  );
}
