/** What many runs with forged messages add up to, and how that is told. */
import { PEER_TYPES } from "../forged/forge.ts";
import type { ForgedSums } from "../forged/forged-task.ts";
import { TARGET_STATES } from "../forged/target-states.ts";
import type { ManyTotals } from "./many.ts";
import { addTo, columns, number } from "./totals.ts";

/** Adds up runs with forged messages. */
export class ForgedTotals implements ManyTotals<ForgedSums> {
  runs = 0;
  #actions = 0;
  #highWater = 0;
  readonly #fates = new Map<string, number>();
  /** States of the nodes that messages came to, those that were never met with 0. */
  readonly #states = new Map<string, number>(Object.keys(TARGET_STATES).map((state) => [state, 0]));

  add({ runs, actions, fates, states, highWater }: ForgedSums): void {
    this.runs += runs;
    this.#actions += actions;
    this.#highWater = Math.max(this.#highWater, highWater);
    addTo(this.#fates, fates);
    addTo(this.#states, states);
  }

  /** States that no message met, types of which none was taken, and types of which none was refused. */
  get missed(): readonly string[] {
    const states = [...this.#states].flatMap(([state, times]) => (times === 0 ? [state] : []));
    const taken = PEER_TYPES.filter((type) => !this.#fates.has(`${type} taken`)).map((type) => `${type} taken`);
    const isRefused = (type: string) =>
      [...this.#fates.keys()].some((fate) => fate.startsWith(`${type} `) && fate !== `${type} taken`);
    const refused = PEER_TYPES.filter((type) => !isRefused(type)).map((type) => `${type} refused`);
    return [...states, ...taken, ...refused];
  }

  lines(realMs: number): readonly string[] {
    const messages = [...this.#fates.values()].reduce((sum, times) => sum + times, 0);
    return [
      `seeds       ${number(this.runs)} with forged messages in ${number(realMs / 1_000)} s`,
      `actions     ${number(this.#actions)} before the first of them`,
      `forged      ${number(messages)} messages`,
      `exchanges   ${this.#highWater} % of the messages that are allowed without a tick, at most`,
      "what became of them",
      ...columns(this.#fates),
      "states of those they came to",
      ...columns(this.#states),
    ];
  }
}
