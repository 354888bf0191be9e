/** What many runs add up to, and how that is told. */
import { RARE_STATES } from "../coverage/rare-states.ts";
import type { RunResult } from "../run-seed.ts";

/** Adds up runs of whole clusters. */
export class Totals {
  seeds = 0;
  repeated = 0;
  readonly #faults = new Map<string, number>();
  /** Rare states, those that were never reached with 0. */
  readonly #rare = new Map<string, number>(Object.keys(RARE_STATES).map((state) => [state, 0]));
  readonly #endings = new Map<string, number>();
  readonly #registers = { linearizable: 0, "not-linearizable": 0, unknown: 0 };
  #events = 0;
  #virtualMs = 0;
  #checks = 0;
  #calls = 0;

  add(result: RunResult): void {
    this.seeds++;
    this.#events += result.events;
    this.#virtualMs += result.virtualMs;
    this.#checks += result.checks;
    this.#calls += result.calls;
    this.#endings.set(result.ending, (this.#endings.get(result.ending) ?? 0) + 1);
    addTo(this.#faults, result.faults);
    addTo(this.#rare, result.rare);
    for (const verdict of ["linearizable", "not-linearizable", "unknown"] as const) {
      this.#registers[verdict] += result.registers[verdict];
    }
  }

  /** Lines for people. `realMs` is what it took, `threads` how many worked on it. */
  lines(realMs: number, threads: number): readonly string[] {
    const { linearizable, unknown } = this.#registers;
    const notLinearizable = this.#registers["not-linearizable"];
    const ending = (name: string): string => number(this.#endings.get(name) ?? 0);
    const speed = Math.round(this.#virtualMs / (realMs * threads));
    return [
      `seeds       ${number(this.seeds)} (${number(this.repeated)} of them twice, with the same trace hash)`,
      `events      ${number(this.#events)}`,
      `time        ${number(this.#virtualMs / 1_000)} s simulated in ${number(realMs / 1_000)} s: ${speed} times real time per thread`,
      `checks      ${number(this.#checks)} of invariants`,
      `calls       ${number(this.#calls)} by clients`,
      `registers   ${number(linearizable)} linearizable, ${number(notLinearizable)} not, ${number(unknown)} unknown`,
      `endings     ${ending("progress")} with progress, ${ending("no-quorum")} without a quorum left, ${ending("finding")} with a finding`,
      "faults",
      ...columns(this.#faults),
      "rare states",
      ...columns(this.#rare),
    ];
  }
}

/** A table of counts by name, read down its three columns. Of rare states `npm run simulate -- --help` says what they are. */
export function columns(counts: ReadonlyMap<string, number>): string[] {
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(...sorted.map(([name]) => name.length));
  const cells = sorted.map(([name, times]) => `${name.padEnd(width)}${number(times).padStart(10)}`);
  const rows = Math.ceil(cells.length / 3);
  return Array.from({ length: rows }, (_, row) => {
    const line = [cells[row], cells[row + rows], cells[row + 2 * rows]];
    return `  ${line.map((cell) => cell ?? "").join("    ")}`.trimEnd();
  });
}

/** Adds counts by name to others. */
export function addTo(totals: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, times] of counts) totals.set(name, (totals.get(name) ?? 0) + times);
}

/** A number with commas between thousands, rounded. */
export function number(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
