/**
 * The leader's part in queues: goes on letting runs through where a command has left some, says when windows of rates are over, and when delays are.
 *
 * QL1. What is left is in the state, so the next leader goes on with it. Doing it twice, or by two leaders, harms nothing (commands/queues/admit-runs.ts AR2).
 * QL2. How long a run has been through is measured on this process's monotonic clock, from when it was seen to be: so it is never said too early. Runs that were seen within a
 *      sixty-fourth of the rate's time of each other are counted from the last of them.
 * QL3. Nothing is proposed for a window of which no run waits.
 * QL4. Delays go by the log clock, which stands still while it is ahead of the leader's. So the leader goes by a clock of its own: never behind the log's when it was heard
 *      last, and as fast as the monotonic one.
 */
import type { Cancel, Clock, Logger } from "@raftoral/raft-core";
import type { AdmitRuns } from "../../commands/queues/admit-runs.ts";
import type { CommandResult } from "../../commands/registry.ts";
import type { QueueOverview, QueueWindow } from "../../state/queues/queue-view.ts";
import type { QueueChanged } from "../../state/workflow-event.ts";
import type { WorkflowEngine } from "../engine/workflow-engine.ts";
import { Repeated } from "../repeated.ts";

/** What a {@link QueueDuties} is made of. */
export interface QueueDutiesOptions {
  readonly engine: WorkflowEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this node leads, and goes on. */
  readonly goOn: () => boolean;
}

/** Parts of a rate's time that are told apart (QL2). */
const STEPS = 64;
/** Longest time that a timer waits. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Timers and clocks may be off by a part of a millisecond. */
const SLACK_MS = 1;

/** Runs of a queue that were seen to be through. */
interface Seen {
  /** How many the queue had let through by then. */
  readonly admitted: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

interface Window {
  latest: QueueWindow;
  /** Those that count in the window, as far as the state has said. */
  readonly seen: Seen[];
  /** What was said last of the window. */
  told: number;
}

/** The duties of one node; its owner calls it only while the node leads (QL1 to QL4). */
export class QueueDuties {
  readonly #options: QueueDutiesOptions;
  readonly #admitting: Repeated;
  readonly #windows = new Map<number, Window>();
  /** What the log clock was, and what the monotonic one when it was heard. */
  #heard = { logMs: 0, atMs: 0 };
  #nextDueAtMs: number | undefined;
  #isDue = false;
  #stopTimer: Cancel = () => {};

  constructor(options: QueueDutiesOptions) {
    this.#options = options;
    this.#admitting = new Repeated(
      () => this.#admit(),
      (error) => options.logger.debug({ err: error }, "letting runs through queues waits for the next look"),
    );
  }

  /** This node begins to lead, or another one does: nothing that it saw before counts. */
  reset(): void {
    this.#windows.clear();
    this.#isDue = false;
    this.#nextDueAtMs = undefined;
    this.#stopTimer();
  }

  /** Looks after everything that may have been left. */
  look({ isDue, windows, nextDueAtMs }: QueueOverview, logMs: number): void {
    this.#hear(logMs);
    for (const window of windows) this.#see(window);
    this.#isDue = isDue;
    this.#nextDueAtMs = nextDueAtMs;
    this.#goOn();
  }

  /** Something has happened to a queue. */
  onEvent({ isDue, nextDueAtMs, atMs, ...window }: QueueChanged): void {
    this.#hear(atMs);
    if (window.ratePeriodMs > 0) this.#see(window);
    this.#isDue ||= isDue;
    this.#nextDueAtMs = nextDueAtMs;
    this.#goOn();
  }

  stop(): void {
    this.#stopTimer();
  }

  #hear(logMs: number): void {
    const now = this.#nowMs();
    this.#heard = { logMs: Math.max(logMs, now), atMs: this.#options.clock.monotonicMs() };
  }

  /** QL4. */
  #nowMs(): number {
    const { clock } = this.#options;
    const { logMs, atMs } = this.#heard;
    return Math.max(clock.wallMs(), logMs === 0 ? 0 : logMs + (clock.monotonicMs() - atMs));
  }

  /** QL2. */
  #see(latest: QueueWindow): void {
    const { queueId, admitted, expired, ratePeriodMs } = latest;
    const nowMs = this.#options.clock.monotonicMs();
    let window = this.#windows.get(queueId);
    if (window === undefined) {
      window = { latest, seen: [], told: 0 };
      this.#windows.set(queueId, window);
    }
    window.latest = latest;
    const { seen } = window;
    while (seen[0] !== undefined && seen[0].admitted <= expired) seen.shift();
    const last = seen.at(-1);
    if (admitted <= (last?.admitted ?? expired)) return;
    if (last !== undefined && nowMs - last.firstAtMs < ratePeriodMs / STEPS)
      seen[seen.length - 1] = { ...last, admitted, lastAtMs: nowMs };
    else seen.push({ admitted, firstAtMs: nowMs, lastAtMs: nowMs });
  }

  #goOn(): void {
    const waitMs = this.#waitMs();
    this.#stopTimer();
    if (waitMs === undefined || !this.#options.goOn()) return;
    if (waitMs <= 0) this.#admitting.wanted();
    else this.#stopTimer = this.#options.clock.after(Math.min(waitMs, MAX_TIMER_MS), () => this.#goOn());
  }

  /** How long until there is something to do; undefined when there is nothing. */
  #waitMs(): number | undefined {
    if (this.#isDue) return 0;
    const waits: number[] = [];
    if (this.#nextDueAtMs !== undefined) waits.push(this.#nextDueAtMs - this.#nowMs());
    const nowMs = this.#options.clock.monotonicMs();
    for (const { latest, seen, told } of this.#windows.values()) {
      const first = seen.find(({ admitted }) => admitted > told);
      if (latest.isRateClosed && first !== undefined)
        waits.push(first.lastAtMs + latest.ratePeriodMs + SLACK_MS - nowMs);
    }
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  async #admit(): Promise<void> {
    const { goOn } = this.#options;
    while (goOn() && (this.#waitMs() ?? 1) <= 0) {
      const over = this.#over();
      const window = over ?? { queueId: 0, expiredTo: 0, periodMs: 0 };
      this.#isDue = false;
      const result = await this.#propose({ kind: "AdmitRuns", ...window, atMs: Math.floor(this.#nowMs()) });
      const admitted = result.ok && result.kind === "Admitted" ? result : undefined;
      this.#isDue ||= admitted?.more === true;
      // What is next to be delayed comes with the look that follows.
      if (admitted !== undefined && over === undefined) await this.#lookAgain();
    }
    this.#goOn();
  }

  /** What was not said for certain is said again with the next look. */
  async #propose(command: AdmitRuns): Promise<CommandResult> {
    try {
      return await this.#options.engine.propose(command);
    } catch (error) {
      this.#isDue = true;
      for (const window of this.#windows.values()) window.told = 0;
      throw error;
    }
  }

  async #lookAgain(): Promise<void> {
    const { queues, clockMs } = await this.#options.engine.overview();
    this.#hear(clockMs);
    this.#isDue ||= queues.isDue;
    this.#nextDueAtMs = queues.nextDueAtMs;
  }

  /** A window that is over, and of which runs wait (QL3). It is said once. */
  #over(): Pick<AdmitRuns, "queueId" | "expiredTo" | "periodMs"> | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [queueId, window] of this.#windows) {
      const { latest, seen, told } = window;
      if (!latest.isRateClosed) continue;
      const over = seen.findLast(({ lastAtMs }) => lastAtMs + latest.ratePeriodMs + SLACK_MS <= nowMs);
      if (over === undefined || over.admitted <= told) continue;
      window.told = over.admitted;
      return { queueId, expiredTo: over.admitted, periodMs: latest.ratePeriodMs };
    }
    return undefined;
  }
}
