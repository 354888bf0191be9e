/**
 * One attempt of a step: calls its function once, until it settles, takes too long, is silent for too long, or is interrupted.
 *
 * SA1. Settles once. Whatever ends it, its signal is aborted unless the function itself has settled, and its heartbeats do nothing from then on.
 * SA2. It settles when it takes too long or is interrupted, whether or not the function listens to its signal. But for an interruption, it waits for a
 *      commit of heartbeat details that is under way, so that none comes after its outcome.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import { StepTimeoutError } from "../../author/errors.ts";
import { decodeValue, encodeValue } from "../../author/json-value.ts";
import type { StepContext } from "../../author/workflow-context.ts";
import { MAX_HEARTBEAT_BYTES } from "../../model/step-progress.ts";
import { delayed } from "./alarm.ts";
import { Heartbeats } from "./heartbeats.ts";

/** After how long an attempt whose step has a deadline over all attempts records when the first one began, in milliseconds. */
const BEGIN_RECORDED_AFTER_MS = 1_000;

/** What an attempt is made of. */
export interface AttemptSetting {
  readonly path: string;
  /** From 1, over all owners. */
  readonly attempt: number;
  readonly fn: (step: StepContext) => unknown;
  readonly idempotencyKey: () => string;
  readonly fencingToken: number;
  /** What the last heartbeat of an earlier attempt said; empty for nothing. */
  readonly details: Uint8Array;
  readonly timeoutMs: number | undefined;
  readonly heartbeatTimeoutMs: number | undefined;
  /** How much is left until the deadline over all attempts, and what the step fails with then. */
  readonly total: { readonly leftMs: number; readonly error: () => StepTimeoutError } | undefined;
  readonly clock: Clock;
  /** Calls back, never in this turn, when the run is cancelled or is so already. Returns the way to stop listening. */
  readonly onInterrupt: (fn: (reason: Error) => void) => () => void;
  /** Commits how far the step has come. */
  readonly commit: (details: Uint8Array) => Promise<void>;
}

/** How an attempt ended. */
export type Attempted =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/** One attempt, as its function sees it (SA1, SA2). Its signal, key and heartbeats are made only if the function asks for them. */
export class StepAttempt implements StepContext {
  readonly #setting: AttemptSetting;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #heartbeats: Heartbeats | undefined;
  #isOver = false;
  #settle: (outcome: Attempted) => void = () => {};

  constructor(setting: AttemptSetting) {
    this.#setting = setting;
  }

  get attempt(): number {
    return this.#setting.attempt;
  }

  get fencingToken(): number {
    return this.#setting.fencingToken;
  }

  get idempotencyKey(): string {
    return this.#setting.idempotencyKey();
  }

  get heartbeatDetails(): unknown {
    return decodeValue(this.details, `the heartbeat of step ${this.#setting.path}`);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  heartbeat(details?: unknown): void {
    if (this.#isOver) return;
    const what = `the heartbeat of step ${this.#setting.path}`;
    const bytes = details === undefined ? undefined : encodeValue(details, what, MAX_HEARTBEAT_BYTES);
    this.#beating().beat(bytes);
  }

  /** What the last heartbeat said, by this attempt or one before. */
  get details(): Uint8Array {
    return this.#heartbeats?.details ?? this.#setting.details;
  }

  /** Calls the function. Rejects with the reason of an interruption. */
  run(): Promise<Attempted> {
    const { fn, path, timeoutMs, heartbeatTimeoutMs, total, clock, onInterrupt } = this.#setting;
    return new Promise((resolve, reject) => {
      let stopTimer: Cancel = () => {};
      let stopListening: Cancel = () => {};
      const over = (): void => {
        this.#isOver = true;
        stopTimer();
        stopListening();
      };
      this.#settle = (outcome) => {
        if (this.#isOver) return;
        over();
        const ended = this.#heartbeats?.end();
        if (ended === undefined) resolve(outcome);
        else void ended.then(() => resolve(outcome));
      };
      stopListening = onInterrupt((reason) => {
        over();
        void this.#heartbeats?.end();
        this.#abort(reason);
        reject(reason);
      });
      const isTotal = total !== undefined && total.leftMs < (timeoutMs ?? Number.POSITIVE_INFINITY);
      const limitMs = isTotal ? total.leftMs : timeoutMs;
      if (limitMs !== undefined) {
        stopTimer = delayed(clock, limitMs, () => {
          this.#fail(isTotal ? total.error() : new StepTimeoutError(path, limitMs, { kind: "attempt" }));
        });
      }
      if (heartbeatTimeoutMs !== undefined) this.#beating();
      if (total !== undefined) this.#beating().commitWithin(BEGIN_RECORDED_AFTER_MS);
      const failed = (error: unknown): void => this.#settle({ ok: false, error });
      const succeeded = (value: unknown): void => this.#settle({ ok: true, value });
      try {
        const returned = fn(this);
        if (isThenable(returned)) returned.then(succeeded, failed);
        else succeeded(returned);
      } catch (error) {
        failed(error);
      }
    });
  }

  #beating(): Heartbeats {
    if (this.#heartbeats === undefined) {
      const { clock, commit, details, path, heartbeatTimeoutMs: timeoutMs } = this.#setting;
      const onSilence = (): void => this.#fail(new StepTimeoutError(path, timeoutMs ?? 0, { kind: "heartbeat" }));
      this.#heartbeats = new Heartbeats({ clock, commit, timeoutMs, onSilence, details });
    }
    return this.#heartbeats;
  }

  #fail(error: StepTimeoutError): void {
    this.#settle({ ok: false, error });
    this.#abort(error);
  }

  #abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
