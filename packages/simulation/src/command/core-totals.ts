/** What many runs of bare cores add up to, and how that is told. */
import type { CoreSums } from "../core/core-task.ts";
import { RARE_STATES } from "../coverage/rare-states.ts";
import type { ManyTotals } from "./many.ts";
import { addTo, columns, number } from "./totals.ts";

/** Adds up runs of bare cores. */
export class CoreTotals implements ManyTotals<CoreSums> {
  runs = 0;
  #actions = 0;
  #messages = 0;
  #committed = 0;
  #checks = 0;
  /** Rare states, those that were never reached with 0. */
  readonly #rare = new Map<string, number>(Object.keys(RARE_STATES).map((state) => [state, 0]));

  add({ runs, actions, messages, committed, checks, rare }: CoreSums): void {
    this.runs += runs;
    this.#actions += actions;
    this.#messages += messages;
    this.#committed += committed;
    this.#checks += checks;
    addTo(this.#rare, rare);
  }

  /** Rare states that no run came through. */
  get missed(): readonly string[] {
    return [...this.#rare].flatMap(([state, times]) => (times === 0 ? [state] : []));
  }

  lines(realMs: number): readonly string[] {
    return [
      `seeds       ${number(this.runs)} of bare cores in ${number(realMs / 1_000)} s`,
      `actions     ${number(this.#actions)} before everything is healed`,
      `messages    ${number(this.#messages)} left a node`,
      `committed   ${number(this.#committed)} entries`,
      `checks      ${number(this.#checks)} of invariants`,
      "rare states",
      ...columns(this.#rare),
    ];
  }
}
