/** Draws random programs. The same source of chance gives the same program. */
import type { Action, Program, Sending } from "./program.ts";

/** A whole number in `[0, bound)`. */
export type Below = (bound: number) => number;

const STEPS = ["reserve", "charge", "pack", "ship"] as const;
const SIGNALS = ["go", "stop"] as const;
const VARIABLES = ["status", "count"] as const;
const SCOPES = ["line", "parcel"] as const;
/** Actions of a program at most: long enough for interleavings, short enough to read. */
const MAX_ACTIONS = 14;
const MAX_DEPTH = 4;

/** A random program. `waits` decides whether waits with time limits and races are drawn, too. */
export function drawProgram(below: Below): Program {
  const sendings: Sending[] = [];
  let left = 3 + below(MAX_ACTIONS - 2);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const chance = (oneIn: number): boolean => below(oneIn) === 0;

  const several = (depth: number, most: number): readonly Action[] =>
    Array.from({ length: 1 + below(most) }, () => action(depth + 1));

  const step = (): Action => {
    const attempts = 1 + below(3);
    const failures = chance(3) ? below(attempts + 1) : 0;
    return {
      do: "step",
      name: pick(STEPS),
      value: below(100),
      failures,
      attempts,
      hangs: attempts > 1 && failures === 0 && chance(8),
    };
  };

  const wait = (): Action => {
    if (chance(3)) {
      // A signal of its own name: it must not take what a wait without a time limit needs.
      if (chance(2)) sendings.push({ signal: "maybe", payload: sendings.length });
      return { do: "wait", signal: "maybe", timeoutMs: 1 + below(5_000) };
    }
    const signal = pick(SIGNALS);
    sendings.push({ signal, payload: sendings.length });
    return { do: "wait", signal, timeoutMs: undefined };
  };

  const compound = (depth: number): Action => {
    switch (below(6)) {
      case 0:
        return { do: "sequence", actions: several(depth, 4) };
      case 1:
        return { do: pick(["all", "all", "race", "any", "allSettled"] as const), branches: several(depth, 3) };
      case 2:
        return { do: "scope", name: pick(SCOPES), body: action(depth + 1) };
      case 3: {
        // A wait in a loop needs a signal for every round: its own sending serves the first.
        const before = sendings.length;
        const body = action(depth + 1);
        const times = 1 + below(3);
        const own = sendings.slice(before);
        for (let round = 1; round < times; round++)
          sendings.push(...own.map(({ signal }) => ({ signal, payload: sendings.length })));
        return { do: "loop", times, body };
      }
      default:
        return {
          do: "try",
          body: action(depth + 1),
          caught: chance(2) ? action(depth + 1) : undefined,
          finally: chance(2) ? action(depth + 1) : undefined,
        };
    }
  };

  const simple = (): Action => {
    switch (below(12)) {
      case 0:
        return { do: "variable", name: pick(VARIABLES), sets: below(3), fails: chance(6) };
      case 1:
        return { do: "sleep", ms: chance(4) ? 86_400_000 : below(2_000) };
      case 2:
      case 3:
        return wait();
      case 4:
        return { do: chance(2) ? "random" : "now" };
      case 5:
        return chance(2) ? { do: "detached", name: pick(STEPS) } : { do: "noise", turns: 1 + below(4) };
      case 6:
        return chance(4) ? { do: "throw", message: "on purpose" } : step();
      default:
        return step();
    }
  };

  const action = (depth: number): Action => {
    left -= 1;
    return left > 0 && depth < MAX_DEPTH && chance(2) ? compound(depth) : simple();
  };

  const actions: Action[] = [];
  while (left > 0) actions.push(action(1));
  return { body: { do: "sequence", actions }, sendings };
}
