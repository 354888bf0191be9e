/**
 * One attempt of a step: calls its function once, until it settles, takes too long, is silent for too long, or is interrupted.
 *
 * SA1. Settles once. Whatever ends it, its signal is aborted unless the function itself has settled, and its heartbeats do nothing from then on.
 * SA2. It settles when it takes too long or is interrupted, whether or not the function listens to its signal. But for an interruption, it waits for a
 *      commit of heartbeat details that is under way, so that none comes after its outcome.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import { StepTimeoutError } from "../../../author/errors/errors.ts";
import { decodeValue, encodeValue } from "../../../author/values/json-value.ts";
import type { StepContext } from "../../../author/workflow-context.ts";
import { MAX_HEARTBEAT_BYTES } from "../../../model/step-progress.ts";
import type { TraceContext } from "../../../model/trace-context.ts";
import { CallerContext } from "../../body/body-place.ts";
import { delayed } from "../alarm.ts";
import { Heartbeats } from "./heartbeats.ts";

/** After how long an attempt whose step has a deadline over all attempts records when the first one began, in milliseconds. */
const BEGIN_RECORDED_AFTER_MS = 1_000;

/** The step that an attempt is of. */
export interface AttemptedStep {
  readonly path: string;
  readonly fencingToken: number;
  readonly traceContext: TraceContext | undefined;
  readonly clock: Clock;
  readonly timeoutMs: number | undefined;
  readonly heartbeatTimeoutMs: number | undefined;
  /** The key of the step, the same for all attempts. */
  idempotencyKey(): string;
  /** Calls the step's function. */
  call(step: StepContext): unknown;
  /** Calls back, never in this turn, when the run is cancelled or is so already. Returns the way to stop listening. */
  onInterrupt(fn: (reason: Error) => void): () => void;
  /** Commits how far the step has come. */
  commit(details: Uint8Array): Promise<void>;
  /** What the step fails with when its time over all attempts is over. */
  late(): StepTimeoutError;
}

/** What tells an attempt from the others of its step. */
export interface AttemptSetting {
  readonly step: AttemptedStep;
  /** From 1, over all owners. */
  readonly attempt: number;
  /** What the last heartbeat of an earlier attempt said; empty for nothing. */
  readonly details: Uint8Array;
  /** How much is left until the deadline over all attempts, in milliseconds; undefined without one. */
  readonly leftMs: number | undefined;
}

/** How an attempt ended. */
export type Attempted =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/** One attempt, as its function sees it (SA1, SA2). Its signal, key and heartbeats are made only if the function asks for them. */
export class StepAttempt implements StepContext {
  readonly attempt: number;
  readonly #step: AttemptedStep;
  readonly #details: Uint8Array;
  readonly #leftMs: number | undefined;
  #controller: AbortController | undefined;
  /** Where the function asked for the signal: its listeners are called there (body-place.ts BP3). */
  #listeners: CallerContext | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #heartbeats: Heartbeats | undefined;
  #isOver = false;
  #resolve: (outcome: Attempted) => void = () => {};
  #stopTimer: Cancel | undefined;
  #stopListening: Cancel | undefined;

  constructor({ step, attempt, details, leftMs }: AttemptSetting) {
    this.attempt = attempt;
    this.#step = step;
    this.#details = details;
    this.#leftMs = leftMs;
  }

  get fencingToken(): number {
    return this.#step.fencingToken;
  }

  get traceContext(): TraceContext | undefined {
    return this.#step.traceContext;
  }

  get idempotencyKey(): string {
    return this.#step.idempotencyKey();
  }

  get heartbeatDetails(): unknown {
    return decodeValue(this.details, `the heartbeat of step ${this.#step.path}`);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#listeners = new CallerContext();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  heartbeat(details?: unknown): void {
    if (this.#isOver) return;
    const what = `the heartbeat of step ${this.#step.path}`;
    const bytes = details === undefined ? undefined : encodeValue(details, what, MAX_HEARTBEAT_BYTES);
    this.#beating().beat(bytes);
  }

  /** What the last heartbeat said, by this attempt or one before. */
  get details(): Uint8Array {
    return this.#heartbeats?.details ?? this.#details;
  }

  /** Calls the function. Rejects with the reason of an interruption. */
  run(): Promise<Attempted> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#stopListening = this.#step.onInterrupt((reason) => {
        this.#over();
        void this.#heartbeats?.end();
        this.#abort(reason);
        reject(reason);
      });
      this.#limit();
      try {
        const returned = this.#step.call(this);
        if (!isThenable(returned)) this.#settle({ ok: true, value: returned });
        else {
          returned.then(
            (value) => this.#settle({ ok: true, value }),
            (error: unknown) => this.#settle({ ok: false, error }),
          );
        }
      } catch (error) {
        this.#settle({ ok: false, error });
      }
    });
  }

  /** Ends the attempt when one of its times is over. */
  #limit(): void {
    const { path, clock, timeoutMs, heartbeatTimeoutMs } = this.#step;
    const leftMs = this.#leftMs;
    const isTotal = leftMs !== undefined && leftMs < (timeoutMs ?? Number.POSITIVE_INFINITY);
    const limitMs = isTotal ? leftMs : timeoutMs;
    if (limitMs !== undefined) {
      this.#stopTimer = delayed(clock, limitMs, () => {
        this.#fail(isTotal ? this.#step.late() : new StepTimeoutError(path, limitMs, { kind: "attempt" }));
      });
    }
    if (heartbeatTimeoutMs !== undefined) this.#beating();
    if (leftMs !== undefined) this.#beating().commitWithin(BEGIN_RECORDED_AFTER_MS);
  }

  #settle(outcome: Attempted): void {
    if (this.#isOver) return;
    this.#over();
    const ended = this.#heartbeats?.end();
    if (ended === undefined) this.#resolve(outcome);
    else void ended.then(() => this.#resolve(outcome));
  }

  #over(): void {
    this.#isOver = true;
    this.#stopTimer?.();
    this.#stopListening?.();
  }

  #beating(): Heartbeats {
    if (this.#heartbeats === undefined) {
      const { clock, path, heartbeatTimeoutMs: timeoutMs } = this.#step;
      const onSilence = (): void => this.#fail(new StepTimeoutError(path, timeoutMs ?? 0, { kind: "heartbeat" }));
      const commit = (details: Uint8Array): Promise<void> => this.#step.commit(details);
      this.#heartbeats = new Heartbeats({ clock, commit, timeoutMs, onSilence, details: this.#details });
    }
    return this.#heartbeats;
  }

  #fail(error: StepTimeoutError): void {
    this.#settle({ ok: false, error });
    this.#abort(error);
  }

  #abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#listeners?.run(() => this.#controller?.abort(reason));
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
