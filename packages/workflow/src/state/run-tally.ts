/** Counts runs by where they are, for one run table. What it says is in the header as well (run-counts.ts). */
import { invariant } from "@raftoral/raft-core";
import { needsOf, needsText } from "../model/run-needs.ts";
import type { Seat } from "../nodes/seat.ts";
import type { RunCounts, WaitingRuns } from "./run-counts.ts";
import type { RunRecord } from "./run-record.ts";

/** The numbers of one run table. Its owner tells it of every run that comes to a place or leaves it. */
export class RunTally {
  readonly #loads: Map<Seat, number>;
  readonly #waiting: Map<string, WaitingRuns>;
  #waitingCount = 0;
  #stuck: number;
  #paused: number;
  /** Runs that have ended; its owner counts them. */
  finished: number;

  constructor({ loads, waiting, stuck, paused, finished }: RunCounts) {
    this.#loads = new Map(loads);
    this.#waiting = new Map(waiting);
    for (const { runs } of this.#waiting.values()) this.#waitingCount += runs;
    this.#stuck = stuck;
    this.#paused = paused;
    this.finished = finished;
  }

  get counts(): RunCounts {
    const { finished } = this;
    return { finished, loads: this.#loads, waiting: this.#waiting, stuck: this.#stuck, paused: this.#paused };
  }

  /** Runs that wait for a node that can execute them. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /** Runs that have not ended. */
  get running(): number {
    let running = this.#waitingCount + this.#stuck;
    for (const load of this.#loads.values()) running += load;
    return running;
  }

  /** A run that has not ended is at its place (1), or leaves it (-1). */
  count(run: RunRecord, change: 1 | -1): void {
    const { runId, head } = run;
    invariant(head.status === "running", () => `run ${runId} has ended`);
    if (head.seat !== 0) {
      const load = (this.#loads.get(head.seat) ?? 0) + change;
      invariant(load >= 0, () => `seat ${head.seat} would have ${load} runs`);
      if (load === 0) this.#loads.delete(head.seat);
      else this.#loads.set(head.seat, load);
      return;
    }
    if (head.stuck !== undefined) {
      this.#stuck += change;
      if (head.stuck === "paused") this.#paused += change;
      return;
    }
    const needs = needsOf(run);
    const wanted = needsText(needs);
    const runs = (this.#waiting.get(wanted)?.runs ?? 0) + change;
    invariant(runs >= 0, () => `${runs} runs would wait for ${wanted}`);
    this.#waitingCount += change;
    if (runs === 0) this.#waiting.delete(wanted);
    else this.#waiting.set(wanted, { ...needs, runs });
  }
}
