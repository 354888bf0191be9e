/** What many seeds of random programs add up to, and how that is told. */
import { DISTURBANCE_KINDS } from "raftoral/testing";
import type { ProgramSums } from "../workflows/programs-task.ts";
import type { ManyTotals } from "./many.ts";
import { addTo, columns, number } from "./totals.ts";

const DAY_MS = 86_400_000;

/** Adds up seeds of random programs. */
export class ProgramTotals implements ManyTotals<ProgramSums> {
  runs = 0;
  #exact = 0;
  #trials = 0;
  #bodies = 0;
  #stepCalls = 0;
  #virtualMs = 0;
  /** Those that never came with 0. */
  readonly #disturbances = new Map<string, number>(DISTURBANCE_KINDS.map((kind) => [kind, 0]));

  add({ runs, exact, trials, bodies, stepCalls, virtualMs, disturbances }: ProgramSums): void {
    this.runs += runs;
    this.#exact += exact;
    this.#trials += trials;
    this.#bodies += bodies;
    this.#stepCalls += stepCalls;
    this.#virtualMs += virtualMs;
    addTo(this.#disturbances, disturbances);
  }

  lines(realMs: number): readonly string[] {
    return [
      `programs    ${number(this.runs)} in ${number(realMs / 1_000)} s, ${number(this.#exact)} of them with one possible end`,
      `runs        ${number(this.#trials)} on a cluster each: ${number(this.#bodies)} bodies, ${number(this.#stepCalls)} attempts of steps`,
      `time        ${number(this.#virtualMs / DAY_MS)} virtual days`,
      "disturbances",
      ...columns(this.#disturbances),
    ];
  }
}
