/**
 * Random workflow programs as data: what a body does, in a form that JSON can carry, that can be interpreted, shrunk and printed.
 */

/** One thing that a program does. */
export type Action =
  /** A step that fails `failures` times and then gives `value`, or fails for good when it has no attempts left. */
  | {
      readonly do: "step";
      readonly name: string;
      readonly value: number;
      readonly failures: number;
      readonly attempts: number;
      /** The first attempt never settles, and is ended by its time limit. */
      readonly hangs: boolean;
    }
  | { readonly do: "sequence"; readonly actions: readonly Action[] }
  /** Each branch in a scope of its own. */
  | { readonly do: "all" | "race" | "any" | "allSettled"; readonly branches: readonly Action[] }
  | { readonly do: "scope"; readonly name: string; readonly body: Action }
  | { readonly do: "loop"; readonly times: number; readonly body: Action }
  /** A variable whose initial function fails `fails`, is then set `sets` times. */
  | { readonly do: "variable"; readonly name: string; readonly sets: number; readonly fails: boolean }
  | { readonly do: "sleep"; readonly ms: number }
  | { readonly do: "wait"; readonly signal: string; readonly timeoutMs: number | undefined }
  | { readonly do: "random" }
  | { readonly do: "now" }
  | {
      readonly do: "try";
      readonly body: Action;
      readonly caught: Action | undefined;
      readonly finally: Action | undefined;
    }
  /** A step that the body does not wait for. */
  | { readonly do: "detached"; readonly name: string }
  /** Turns of the microtask queue that have nothing to do with the context. */
  | { readonly do: "noise"; readonly turns: number }
  | { readonly do: "throw"; readonly message: string };

/** Something that happens to a run from outside. */
export interface Sending {
  readonly signal: string;
  readonly payload: number;
}

/** A program and what it is sent. */
export interface Program {
  readonly body: Action;
  /** Sent one after the other as soon as the run exists: enough for every wait without a time limit. */
  readonly sendings: readonly Sending[];
}

/** Whether the end of a program follows from the program alone, whatever takes how long: no races against time or each other. */
export function isDeterministic({ body }: Program): boolean {
  return every(body, (action) => {
    if (action.do === "race" || action.do === "any" || action.do === "detached" || action.do === "now") return false;
    // Two branches may wait for the same signal.
    if (action.do === "all" || action.do === "allSettled")
      return !action.branches.some((branch) => !every(branch, (one) => one.do !== "wait"));
    return !(action.do === "wait" && action.timeoutMs !== undefined);
  });
}

/** Whether `holds` for an action and everything in it. */
export function every(action: Action, holds: (action: Action) => boolean): boolean {
  return holds(action) && children(action).every((child) => every(child, holds));
}

/** The actions that an action is made of. */
export function children(action: Action): readonly Action[] {
  switch (action.do) {
    case "sequence":
      return action.actions;
    case "all":
    case "race":
    case "any":
    case "allSettled":
      return action.branches;
    case "scope":
    case "loop":
      return [action.body];
    case "try":
      return [action.body, action.caught, action.finally].filter((one) => one !== undefined);
    default:
      return [];
  }
}

/** A program as lines for people. */
export function lines(action: Action, indent = ""): readonly string[] {
  const { do: what, ...rest } = action;
  const details = Object.entries(rest)
    .filter(([, value]) => typeof value !== "object" && value !== undefined)
    .map(([key, value]) => `${key}=${String(value)}`);
  return [
    `${indent}${[what, ...details].join(" ")}`,
    ...children(action).flatMap((child) => lines(child, `${indent}  `)),
  ];
}
