/**
 * What a body ends with: what it returns or throws itself, or what comes before that.
 *
 * BE1. The first outcome stands, but for a rejection that nothing handles: it fails the run until the handlers have ended, too (run-execution.ts B5, B9).
 */
import { recordedError } from "../../../author/errors/recorded-error.ts";
import { Latch } from "../../collections/latch.ts";
import type { BodyOutcome } from "./settled-outcome.ts";

/** The end of one body (BE1). */
export class BodyEnd {
  readonly #first = Promise.withResolvers<BodyOutcome>();
  readonly #hasStrayed = new Latch();
  #stray: BodyOutcome | undefined;

  /** Resolves with the first outcome. */
  get first(): Promise<BodyOutcome> {
    return this.#first.promise;
  }

  /** The body has an outcome, or something has that comes before it. */
  readonly comes = (outcome: BodyOutcome): void => this.#first.resolve(outcome);

  /** A rejection that nothing handles, or the failure of a handler, ends the body. */
  strays(error: unknown): void {
    this.#stray ??= { status: "failed", error: recordedError(error) };
    this.#hasStrayed.open();
    this.comes(this.#stray);
  }

  /** The outcome that stands when the handlers have ended: what `decide` gives, unless something has strayed. `ended`: the execution is over. */
  async drained(handlers: Promise<void> | undefined, ended: Latch, decide: () => BodyOutcome): Promise<BodyOutcome> {
    if (handlers !== undefined) await Promise.race([handlers, ended.opened, this.#hasStrayed.opened]);
    return this.#stray ?? decide();
  }
}
