/** What a random workflow does, as data: a seed makes it, the workflow carries it out, and the model says what must come of it. */
import type { Rng } from "@raftoral/raft-core";

/** Every operation has a name of its own within the plan, which is its path's last part. */
export type Operation =
  /** Takes up to `ms`; its value names the one execution it comes from. */
  | { readonly kind: "step"; readonly name: string; readonly ms: number }
  /** Fails at least `failures` times of three attempts; three make it fail for good, which the body catches. */
  | { readonly kind: "flaky"; readonly name: string; readonly failures: number }
  /** Records a number drawn from the run's seed, and gives the number as it is drawn now. */
  | { readonly kind: "draw"; readonly name: string }
  | { readonly kind: "sleep"; readonly name: string; readonly ms: number }
  | { readonly kind: "now"; readonly name: string }
  /** Waits for the next signal, for ever or for `timeoutMs`. */
  | { readonly kind: "wait"; readonly name: string; readonly timeoutMs?: number }
  /** A variable of its own, set to 1, 2, ... `sets`. */
  | { readonly kind: "variable"; readonly name: string; readonly sets: number }
  /** One more on the counter that the whole run shares. */
  | { readonly kind: "count"; readonly name: string }
  /** A step against a sleep; the winner's name decides which step comes after. */
  | { readonly kind: "race"; readonly name: string; readonly stepMs: number; readonly sleepMs: number }
  | { readonly kind: "parallel"; readonly name: string; readonly branches: readonly Plan[] };

export type Plan = readonly Operation[];

/** The signal that every run waits for. */
export const SIGNAL = "go";

/** Operations of any kind, with branches down to `depth`. */
export function randomPlan(rng: Rng, depth = 2, prefix = ""): Plan {
  return Array.from({ length: 2 + rng.below(4) }, (_, position) => randomOperation(rng, depth, `${prefix}${position}`));
}

function randomOperation(rng: Rng, depth: number, place: string): Operation {
  switch (rng.below(depth > 0 ? 12 : 10)) {
    case 0:
    case 1:
      return { kind: "step", name: `step${place}`, ms: rng.below(12) };
    case 2:
      return { kind: "flaky", name: `flaky${place}`, failures: rng.below(4) };
    case 3:
      return { kind: "draw", name: `draw${place}` };
    case 4:
      return { kind: "sleep", name: `sleep${place}`, ms: rng.below(30) };
    case 5:
      return { kind: "now", name: `now${place}` };
    case 6:
      return { kind: "wait", name: `wait${place}`, ...(rng.below(2) === 0 ? {} : { timeoutMs: rng.below(60) }) };
    case 7:
      return { kind: "variable", name: `variable${place}`, sets: 1 + rng.below(4) };
    case 8:
      return { kind: "count", name: `count${place}` };
    case 9:
      return { kind: "race", name: `race${place}`, stepMs: rng.below(20), sleepMs: rng.below(20) };
    default: {
      const branches = Array.from({ length: 2 + rng.below(2) }, (_, branch) =>
        randomPlan(rng, depth - 1, `${place}.${branch}.`),
      );
      return { kind: "parallel", name: `parallel${place}`, branches };
    }
  }
}

/** How many signals a plan may take at most, and how many of the waits end only with one. */
export function waits(plan: Plan): { readonly all: number; readonly endless: number } {
  let [all, endless] = [0, 0];
  for (const operation of plan) {
    const inner = operation.kind === "parallel" ? operation.branches.map(waits) : [];
    if (operation.kind === "wait") inner.push({ all: 1, endless: operation.timeoutMs === undefined ? 1 : 0 });
    for (const counts of inner) {
      all += counts.all;
      endless += counts.endless;
    }
  }
  return { all, endless };
}
