/**
 * Runs a step's function until it succeeds, fails for good, or is interrupted, and has the outcome recorded.
 *
 * Role: which attempt comes next, and when. A single attempt is `step-attempt.ts`, the policy `retry-policy.ts`.
 *
 * AT1. Attempts are counted over all owners: one that failed and is followed by another is committed, and the next one begins once it is, and its
 *      delay is over. An attempt that was under way when its owner was lost is no failed one: the next owner's has its number.
 * AT2. A step that succeeds at its first attempt commits its record and nothing else.
 * AT3. The delay before an attempt is a wait, not work: a body that has nothing else under way gives its slot back, and a held body (call-site.ts CS4) begins no
 *      further attempt and need not be waited for.
 * AT4. A deadline over all attempts counts from the beginning of the first one, also on another owner, to within `BEGIN_RECORDED_AFTER_MS`.
 */
import type { Clock } from "@raftoral/raft-core";
import { StepTimeoutError } from "../../../author/errors/errors.ts";
import { rebuiltError } from "../../../author/errors/rebuilt-error.ts";
import { recordedError } from "../../../author/errors/recorded-error.ts";
import { encodeValue } from "../../../author/values/json-value.ts";
import type { StepContext, StepOptions } from "../../../author/workflow-context.ts";
import type { HistoryRecord } from "../../../model/record.ts";
import type { StepProgress } from "../../../model/step-progress.ts";
import type { TraceContext } from "../../../model/trace-context.ts";
import type { RuntimeProbe } from "../../runtime-probe.ts";
import type { CallSite } from "../call-site.ts";
import { idempotencyKey, type KeyedRun } from "./idempotency-key.ts";
import { delayAfter, isFinal, policyOf, type StepPolicy } from "./retry-policy.ts";
import { type AttemptedStep, StepAttempt } from "./step-attempt.ts";
import { failureBytes } from "./step-record.ts";
import type { StepUnderWay } from "./steps-under-way.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** What the steps of one body share. */
export interface StepSetting {
  readonly run: KeyedRun & { readonly trace: TraceContext | undefined };
  readonly workflowType: string;
  readonly surroundings: StepSurroundings;
  readonly probe: RuntimeProbe | undefined;
  /** A step's function as it is called: itself, unless a testing kit stands around it. */
  readonly intercepted: (path: string, fn: (step: StepContext) => unknown) => (step: StepContext) => unknown;
}

/** What a step needs to know of its run. */
export interface StepSurroundings {
  readonly clock: Clock;
  readonly fencingToken: number;
  /** In `[0, 1)`; decides jitter. */
  readonly random: () => number;
  readonly attemptFailed: (key: string, attempt: number, error: unknown, retryInMs: number | undefined) => void;
}

/** One step of a body. */
export interface StepCall {
  readonly path: string;
  readonly fn: (step: StepContext) => unknown;
  readonly options: StepOptions | undefined;
}

/** Runs the step to its record. Rejects with the reason of an interruption, at once. */
export async function attemptStep(site: CallSite, setting: StepSetting, call: StepCall): Promise<HistoryRecord> {
  const course = new StepCourse(site, setting, call);
  site.body.steps.set(call.path, course);
  for (;;) {
    if (course.hasFailed) {
      await course.untilDue();
      const gate = site.gate();
      if (gate !== undefined) await gate;
    }
    const settled = await site.work(course.attempt);
    if (settled !== undefined) return settled;
  }
}

/** The attempts of one step on one owner. */
class StepCourse implements AttemptedStep, StepUnderWay {
  readonly path: string;
  readonly #site: CallSite;
  readonly #setting: StepSetting;
  readonly #policy: StepPolicy;
  readonly #fn: (step: StepContext) => unknown;
  /** When the first attempt began as far as that is recorded, else when this body came to the step, on the clock that only goes forward. */
  readonly sinceMs: number;
  /** How far the step has come, as it is committed. */
  #known: StepProgress | undefined;

  constructor(site: CallSite, setting: StepSetting, { path, fn, options }: StepCall) {
    this.path = path;
    this.#site = site;
    this.#setting = setting;
    this.#policy = policyOf(options);
    this.#fn = setting.intercepted(path, fn);
    this.#known = site.history.progressAt(path);
    const beganAtMs = this.#known?.beganAtMs ?? Number.POSITIVE_INFINITY;
    this.sinceMs = site.clock.monotonicMs() - Math.max(0, site.history.time.nowMs() - beganAtMs);
  }

  get clock(): Clock {
    return this.#site.clock;
  }

  get fencingToken(): number {
    return this.#setting.surroundings.fencingToken;
  }

  get traceContext(): TraceContext | undefined {
    return this.#setting.run.trace;
  }

  get timeoutMs(): number | undefined {
    return this.#policy.timeoutMs;
  }

  get heartbeatTimeoutMs(): number | undefined {
    return this.#policy.heartbeatTimeoutMs;
  }

  idempotencyKey(): string {
    return idempotencyKey(this.#setting.run, this.path);
  }

  call(step: StepContext): unknown {
    return this.#site.guard.run(this.path, () => this.#fn(step), step.attempt);
  }

  onInterrupt(fn: (reason: Error) => void): () => void {
    return this.#site.branch.onStop(fn);
  }

  commit(details: Uint8Array): Promise<void> {
    return this.#site.history.progress(this.#progress(this.#known?.attempts ?? 0, undefined, 0, details));
  }

  late(): StepTimeoutError {
    return new StepTimeoutError(this.path, this.#policy.totalTimeoutMs ?? 0, {
      kind: "total",
      cause: this.#lastError(),
    });
  }

  /** Whether an attempt has failed, here or on an earlier owner, so that the next one has its time. */
  get hasFailed(): boolean {
    return this.#known !== undefined && this.#known.attempts > 0;
  }

  /** Waits for the next attempt's time (AT3). */
  async untilDue(): Promise<void> {
    const atMs = this.#known?.nextAtMs ?? 0;
    const { history } = this.#site;
    if (atMs > history.time.nowMs()) await this.#site.park(() => this.#delay(atMs));
  }

  /** The next attempt. Undefined when another one is to follow. */
  readonly attempt = async (): Promise<HistoryRecord | undefined> => {
    const { attempts = 0, details = NOTHING } = this.#known ?? {};
    const attempt = attempts + 1;
    // The code of an earlier owner may have allowed more attempts.
    if (attempts >= this.#policy.attempts) return this.#fail(attempts, this.#lastError());
    const leftMs = this.#leftMs();
    if (leftMs !== undefined && leftMs <= 0) return this.#fail(attempts, this.late());
    const step = new StepAttempt({ step: this, attempt, details, leftMs });
    const outcome = await step.run();
    const streamed = this.#site.history.written(this.path);
    if (streamed !== undefined) await streamed;
    if (!outcome.ok) return this.#failed(attempt, outcome.error, step.details);
    let bytes: Uint8Array;
    try {
      bytes = encodeValue(outcome.value, `step ${this.path}`, this.#site.maxPayloadBytes);
    } catch (error) {
      return this.#fail(attempt, error);
    }
    this.#report(true, attempt);
    try {
      return await this.#site.record(this.path, "step", bytes);
    } catch (error) {
      // The log takes smaller values than this runtime: the step has failed as if its value had been refused here.
      if ((error as { code?: unknown }).code !== "PAYLOAD_TOO_LARGE") throw error;
      return this.#site.record(this.path, "step-failed", failureBytes(error, attempt));
    }
  };

  async #failed(attempt: number, thrown: unknown, details: Uint8Array): Promise<HistoryRecord | undefined> {
    const { surroundings } = this.#setting;
    const policy = this.#policy;
    let error = thrown;
    let isOver = isFinal(error, attempt, policy);
    try {
      isOver ||=
        policy.retryIf !== undefined && !this.#site.guard.run(this.path, () => policy.retryIf?.(thrown, attempt));
    } catch (refused) {
      error = refused;
      isOver = true;
    }
    if (isOver) return this.#fail(attempt, error);
    const delayMs = delayAfter(attempt, error, policy, surroundings.random);
    if (delayMs >= (this.#leftMs() ?? Number.POSITIVE_INFINITY)) return this.#fail(attempt, error);
    surroundings.attemptFailed(this.path, attempt, error, delayMs);
    const nextAtMs = this.#site.history.time.nowMs() + delayMs;
    this.#known = this.#progress(attempt, error, nextAtMs, details);
    await this.#site.history.progress(this.#known);
    return undefined;
  }

  /** The step has failed for good. */
  #fail(attempts: number, error: unknown): HistoryRecord | Promise<HistoryRecord> {
    this.#setting.surroundings.attemptFailed(this.path, attempts, error, undefined);
    this.#report(false, attempts);
    return this.#site.record(this.path, "step-failed", failureBytes(error, attempts));
  }

  /** What the last attempt failed of. */
  #lastError(): Error | undefined {
    const error = this.#known?.error;
    return error === undefined ? undefined : rebuiltError(error);
  }

  /** What is left until the deadline over all attempts, in ms. */
  #leftMs(): number | undefined {
    const { totalTimeoutMs } = this.#policy;
    if (totalTimeoutMs === undefined) return undefined;
    return this.#beganAtMs() + totalTimeoutMs - this.#site.history.time.nowMs();
  }

  /** When the first attempt began, in the run's time. */
  #beganAtMs(): number {
    const { history, clock } = this.#site;
    return this.#known?.beganAtMs ?? Math.floor(history.time.nowMs() - (clock.monotonicMs() - this.sinceMs));
  }

  #progress(attempts: number, error: unknown, nextAtMs: number, details: Uint8Array): StepProgress {
    const failure = error === undefined ? undefined : recordedError(error);
    const path = this.path;
    const beganAtMs = this.#beganAtMs();
    return { path, attempts, ...(failure === undefined ? {} : { error: failure }), nextAtMs, beganAtMs, details };
  }

  #report(isDone: boolean, attempts: number): void {
    const { probe, workflowType } = this.#setting;
    probe?.stepFinished(workflowType, isDone, attempts, this.#site.clock.monotonicMs() - this.sinceMs);
  }

  #delay(atMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#site.alarm(atMs, () => {
        stopListening();
        resolve();
      });
      const stopListening = this.#site.branch.onStop((reason) => {
        cancel();
        reject(reason);
      });
    });
  }
}
