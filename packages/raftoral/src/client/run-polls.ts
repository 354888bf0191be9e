/**
 * Waiting for runs and updates from outside: long polls, one after the other, until there is an answer.
 *
 * RP1. A wait ends with the run, at its limit, at its signal, or with a failure that asking again would not change; a poll without an answer, a node that
 *      stops and a cluster without a leader are none.
 * RP2. A poll carries the outcome and nothing else.
 * RP3. Any number may wait. Up to some hundred have a poll under way at once; with more, they take turns, and may hear of the end later.
 */
import { type Clock, RaftoralError } from "@raftoral/raft-core";
import { type CallLimit, callAborted } from "../api/call-options.ts";
import type { EndedRun } from "../api/runs.ts";
import { Deadline } from "../time/deadline.ts";
import { pause } from "../time/pause.ts";
import { outcomeFromWire } from "../wire/run-messages.ts";
import type { Connection } from "./connection.ts";
import type { Failover, SendOptions } from "./failover.ts";
import { Gate } from "./gate.ts";

/** One long poll; shorter than what proxies allow a silent call. */
const POLL_MS = 20_000;
/** Added to a poll's time for the way there and back. */
const POLL_GRACE_MS = 5_000;
/** When many wait: one takes a place for no longer than this, so that the next gets it. */
const BUSY_POLL_MS = 1_000;
/** Polls under way at once. */
const MAX_POLLS = 400;
/** Pause after a poll that failed: the nodes may be starting, or electing. */
const FAILURE_PAUSE_MS = 500;

/** One long poll of a node, for `waitMs` at most; undefined when there is nothing yet. Asked again, it must be the same question. */
export type Poll<T> = (node: Connection, options: SendOptions, waitMs: number) => Promise<T | undefined>;

/** The waits of one client (RP1 to RP3). */
export class RunPolls {
  readonly #failover: Failover;
  readonly #clock: Clock;
  readonly #gate: Gate;
  #isClosed = false;

  constructor(failover: Failover, clock: Clock) {
    this.#failover = failover;
    this.#clock = clock;
    this.#gate = new Gate(MAX_POLLS, clock);
  }

  /** Waits for a place to poll. */
  get waiting(): number {
    return this.#gate.waiting;
  }

  /** The run's end; undefined when the limit's time is over before. */
  wait(runId: string, limit: CallLimit): Promise<EndedRun | undefined> {
    return this.until(`Waiting for run ${runId}`, limit, async (node, options, waitMs) => {
      const { outcome } = await node.workflows.waitRun({ runId, waitMs }, options);
      return outcome === undefined ? undefined : outcomeFromWire(runId, outcome);
    });
  }

  /** What a poll gives, sooner or later; undefined when the limit's time is over before. */
  async until<T>(what: string, limit: CallLimit, poll: Poll<T>): Promise<T | undefined> {
    const deadline = new Deadline(limit, this.#clock);
    const { signal } = limit;
    for (;;) {
      if (!(await this.#gate.enter({ timeoutMs: deadline.leftMs, signal }))) return undefined;
      let failure: RaftoralError | undefined;
      try {
        const found = await this.#poll(what, deadline, signal, poll);
        if (found !== undefined) return found;
      } catch (error) {
        if (!mayPass(error)) throw error;
        failure = error;
      } finally {
        this.#gate.leave();
      }
      if (signal?.aborted === true) throw callAborted(signal, what);
      if (deadline.leftMs <= 0) return lastWord(failure);
      if (failure !== undefined && !this.#isClosed)
        await pause(this.#clock, Math.min(FAILURE_PAUSE_MS, deadline.leftMs), signal);
    }
  }

  /** Ends every wait: lets those in that wait for a place, to meet the end of the client. */
  close(): void {
    this.#isClosed = true;
    this.#gate.open();
  }

  /** Asks once, for as long as a poll may take. Undefined when there is nothing yet. */
  async #poll<T>(
    what: string,
    deadline: Deadline,
    signal: AbortSignal | undefined,
    poll: Poll<T>,
  ): Promise<T | undefined> {
    const pollMs = this.#gate.load > 0.5 ? BUSY_POLL_MS : POLL_MS;
    return await this.#failover.call(
      {
        what,
        idempotent: true,
        // A run that has ended is heard of even without any time.
        timeoutMs: Math.max(deadline.leftMs, 1),
        attemptMs: pollMs + POLL_GRACE_MS,
        graceMs: POLL_GRACE_MS,
        signal,
      },
      (node, options) => {
        const waitMs = Math.max(0, Math.min(pollMs, Math.ceil(deadline.leftMs)));
        return poll(node, options, waitMs);
      },
    );
  }
}

function mayPass(error: unknown): error is RaftoralError {
  return error instanceof RaftoralError && error.retryable;
}

/** At the end of the time: that no node answers says more than that the run has not ended; that the last poll had no time left says less. */
function lastWord(failure: RaftoralError | undefined): undefined {
  if (failure !== undefined && failure.code !== "DEADLINE_EXCEEDED") throw failure;
  return undefined;
}
