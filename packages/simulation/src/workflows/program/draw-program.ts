/** Draws random programs. The same source of chance gives the same program. */
import { UNHURRIED_MS } from "./exactness.ts";
import type { Action, Cancelling, Program, Sending, StepAction } from "./program.ts";

/** A whole number in `[0, bound)`. */
export type Below = (bound: number) => number;

const STEPS = ["reserve", "charge", "pack", "ship"] as const;
const SIGNALS = ["go", "stop"] as const;
const TOKENS = ["approval", "payment"] as const;
const VARIABLES = ["status", "count"] as const;
const SCOPES = ["line", "parcel"] as const;
const PATCHES = ["charge-first", "two-labels"] as const;
/** Actions of a program at most: long enough for interleavings, short enough to read. */
const MAX_ACTIONS = 14;
const MAX_DEPTH = 4;
/** More attempts than a delay that doubles can be computed for. */
const MANY_ATTEMPTS = 1_100;
const DAY_MS = 86_400_000;
/** Most generations of a run, and one of how many programs has several. */
const MAX_GENERATIONS = 3;
const SEVERAL_GENERATIONS_EVERY = 6;
/** What a shield may take in a program whose end depends on time: shorter than the grace of a cancelled run, or longer than a body in it. */
const SHIELD_MS = 60_000;
/** Of steps that are drawn as simple actions, so many in a hundred are children. */
const CHILDREN_IN_HUNDRED = 8;

/** A random program. Two of five do nothing whose end depends on what takes how long, one of six is cancelled. */
export function drawProgram(below: Below): Program {
  const chance = (oneIn: number): boolean => below(oneIn) === 0;
  const isCalm = below(5) < 2;
  const cancelling: Cancelling | undefined =
    !isCalm && chance(3) ? { commit: 1 + below(5), when: chance(2) ? "before" : "after" } : undefined;
  const drawing = new Drawing(below, isCalm);
  const body: Action = { do: "sequence", actions: drawing.actions() };
  const generations = chance(SEVERAL_GENERATIONS_EVERY) ? 2 + below(MAX_GENERATIONS - 1) : 1;
  drawing.sendAgain(0, generations - 1);
  // Drawn last: what else a seed draws stays the same.
  const count = isCalm || chance(2) ? 0 : 1 + below(4);
  const notings = Array.from({ length: count }, () => ({
    afterMs: chance(2) ? 0 : below(2_000),
    sleepsMs: chance(3) ? 1 + below(1_000) : 0,
  }));
  return { body, sendings: drawing.sendings, cancelling, generations, notings };
}

class Drawing {
  readonly sendings: Sending[] = [];
  readonly #below: Below;
  readonly #isCalm: boolean;
  #left: number;
  /** Depth of branches around the action that is drawn. */
  #branches = 0;

  constructor(below: Below, isCalm: boolean) {
    this.#below = below;
    this.#isCalm = isCalm;
    this.#left = 3 + below(MAX_ACTIONS - 2);
  }

  actions(): readonly Action[] {
    const actions: Action[] = [];
    while (this.#left > 0) actions.push(this.#action(1));
    return actions;
  }

  #action(depth: number): Action {
    this.#left -= 1;
    return this.#left > 0 && depth < MAX_DEPTH && this.#chance(2) ? this.#compound(depth) : this.#simple();
  }

  #compound(depth: number): Action {
    switch (this.#below(11)) {
      case 0:
        return { do: "sequence", actions: this.#several(depth, 4) };
      case 1:
        return this.#parallel(depth);
      case 2:
        return this.#scope(depth);
      case 3:
        return this.#loop(depth);
      case 4:
        return this.#map(depth);
      case 5:
        return this.#saga(depth);
      case 6:
        return this.#shield(depth);
      case 7:
        return this.#condition(depth);
      case 8:
        return {
          do: "patched",
          id: this.#pick(PATCHES),
          before: this.#action(depth + 1),
          now: this.#action(depth + 1),
        };
      default:
        return {
          do: "try",
          body: this.#action(depth + 1),
          caught: this.#chance(2) ? this.#action(depth + 1) : undefined,
          finally: this.#chance(2) ? this.#action(depth + 1) : undefined,
        };
    }
  }

  #saga(depth: number): Action {
    const bookings = this.#below(4);
    const body = this.#action(depth + 1);
    const fails = this.#chance(3) && !(this.#isCalm && this.#branches > 0);
    return { do: "saga", bookings, body, fails, undoFailures: this.#chance(3) ? 1 + this.#below(2) : 0 };
  }

  #shield(depth: number): Action {
    const hurriedMs = this.#chance(2) ? SHIELD_MS : 1 + this.#below(2_000);
    return { do: "shield", body: this.#action(depth + 1), timeoutMs: this.#isCalm ? UNHURRIED_MS : hurriedMs };
  }

  #condition(depth: number): Action {
    const timeoutMs = this.#chance(2) && !this.#isCalm ? 1 + this.#below(2_000) : undefined;
    return { do: "condition", body: this.#action(depth + 1), timeoutMs };
  }

  #parallel(depth: number): Action {
    const how = this.#isCalm
      ? (["all", "allSettled"] as const)
      : (["all", "all", "race", "any", "allSettled", "contest", "contest"] as const);
    this.#branches += 1;
    const branches = this.#several(depth, 3);
    this.#branches -= 1;
    return { do: this.#pick(how), branches };
  }

  #scope(depth: number): Action {
    if (!this.#isCalm && this.#chance(4))
      return { do: "abort", body: this.#action(depth + 1), afterMs: this.#below(2_000) };
    const concurrency = this.#chance(3) ? 1 + this.#below(2) : undefined;
    const timeoutMs = this.#chance(3) && !this.#isCalm ? 1 + this.#below(2_000) : undefined;
    return { do: "scope", name: this.#pick(SCOPES), body: this.#action(depth + 1), concurrency, timeoutMs };
  }

  /** Each item needs the signals that its body waits for. */
  #map(depth: number): Action {
    const before = this.sendings.length;
    this.#branches += 1;
    const body = this.#action(depth + 1);
    this.#branches -= 1;
    const items = 1 + this.#below(4);
    this.sendAgain(before, items - 1);
    return { do: "map", items, concurrency: 1 + this.#below(3), body };
  }

  /** Sends what was sent since `before` so many times more. */
  sendAgain(before: number, times: number): void {
    const own = this.sendings.slice(before);
    for (let round = 0; round < times; round++) for (const { signal, afterMs } of own) this.#send(signal, afterMs);
  }

  /** A wait in a loop needs a signal for every round: its own sending serves the first. */
  #loop(depth: number): Action {
    const before = this.sendings.length;
    const body = this.#action(depth + 1);
    const times = 1 + this.#below(3);
    this.sendAgain(before, times - 1);
    return { do: "loop", times, body };
  }

  #simple(): Action {
    const calmBranch = this.#isCalm && this.#branches > 0;
    switch (this.#below(12)) {
      case 0:
        return this.#variable(calmBranch);
      case 1:
        return { do: "sleep", ms: this.#chance(4) ? DAY_MS : this.#below(2_000) };
      case 2:
      case 3:
        return calmBranch ? this.#step() : this.#wait();
      case 4:
        return { do: this.#chance(2) && !calmBranch ? "random" : "now" };
      case 5:
        return this.#chance(2) && !this.#isCalm
          ? { do: "detached", name: this.#pick(STEPS), sleeps: this.#chance(4) }
          : { do: "noise", turns: 1 + this.#below(4) };
      case 6:
        return this.#chance(4) && !calmBranch ? { do: "throw", cancels: this.#chance(6) } : this.#step();
      default:
        return this.#stepOrChild(calmBranch);
    }
  }

  /** A child is drawn as the step in whose place it stands: what else a seed draws stays the same. */
  #stepOrChild(calmBranch: boolean): Action {
    const step = this.#step();
    const { value, failures } = step;
    if (value < 100 - CHILDREN_IN_HUNDRED) return step;
    return { do: "child", ms: value % 2 === 0 ? 0 : value * 10, value, fails: failures > 0 && !calmBranch };
  }

  #step(): StepAction {
    const many = this.#chance(1_000);
    const attempts = many ? MANY_ATTEMPTS : 1 + this.#below(3);
    const mayFail = !(this.#isCalm && this.#branches > 0);
    const failures = many ? MANY_ATTEMPTS - 1 : this.#chance(3) ? this.#below(mayFail ? attempts + 1 : attempts) : 0;
    return {
      do: "step",
      name: this.#pick(STEPS),
      value: this.#below(100),
      isVolatile: !this.#isCalm && this.#chance(2),
      failures,
      attempts,
      retryDelayMs: many || this.#chance(4) ? 0 : 10,
      hangs: attempts > 1 && failures === 0 && this.#chance(8),
      beats: this.#chance(4),
    };
  }

  #variable(calmBranch: boolean): Action {
    const fails = this.#chance(4) && !calmBranch ? (this.#chance(2) && !this.#isCalm ? "once" : "always") : "never";
    return { do: "variable", name: this.#pick(VARIABLES), sets: this.#below(3), fails };
  }

  #wait(): Action {
    if (!this.#isCalm && this.#chance(3)) {
      // A signal of its own name: it must not take what a wait without a time limit needs.
      const afterMs = this.#chance(2) ? this.#below(5_000) : undefined;
      const timeoutMs = 1 + this.#below(5_000);
      if (timeoutMs % 3 === 0) return { do: "token", name: TOKENS[0], answerAfterMs: afterMs ?? timeoutMs, timeoutMs };
      if (afterMs !== undefined) this.#send("maybe", afterMs);
      return { do: "wait", signal: "maybe", timeoutMs };
    }
    const signal = this.#pick(SIGNALS);
    const afterMs = this.#chance(3) ? this.#below(3_000) : 0;
    if (afterMs % 3 === 1) return { do: "token", name: TOKENS[1], answerAfterMs: afterMs, timeoutMs: undefined };
    this.#send(signal, afterMs);
    return { do: "wait", signal, timeoutMs: undefined };
  }

  #send(signal: string, afterMs: number): void {
    this.sendings.push({ signal, payload: this.sendings.length, afterMs });
  }

  #several(depth: number, most: number): readonly Action[] {
    return Array.from({ length: 1 + this.#below(most) }, () => this.#action(depth + 1));
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #chance(oneIn: number): boolean {
    return this.#below(oneIn) === 0;
  }
}
