/**
 * Random workflow programs as data: what a body does, in a form that JSON can carry, that can be interpreted, shrunk and printed.
 */

import type { Noting } from "../notes.ts";

/** An attempt of a step that fails, hangs or gives a value. */
export interface StepAction {
  readonly do: "step";
  readonly name: string;
  readonly value: number;
  /** Each call gives another value, as a step that asks the outside may. */
  readonly isVolatile: boolean;
  /** So many attempts fail, the first ones. A step with no attempts left fails for good. */
  readonly failures: number;
  readonly attempts: number;
  /** Between two attempts, in milliseconds. */
  readonly retryDelayMs: number;
  /** The first attempt never settles, and is ended by its time limit. */
  readonly hangs: boolean;
  /** Each attempt says its number in a heartbeat, and fails for good when an earlier one said a higher one. */
  readonly beats: boolean;
}

/** One thing that a program does. */
export type Action =
  | StepAction
  | { readonly do: "sequence"; readonly actions: readonly Action[] }
  /** Each branch in a scope of its own. */
  | { readonly do: "all" | "race" | "any" | "allSettled"; readonly branches: readonly Action[] }
  /** `ctx.race`: each branch in a scope of its own, and the losers are cancelled. */
  | { readonly do: "contest"; readonly branches: readonly Action[] }
  /** A scope of which at most `concurrency` steps run at once, and which is cancelled after `timeoutMs`. */
  | {
      readonly do: "scope";
      readonly name: string;
      readonly body: Action;
      readonly concurrency: number | undefined;
      readonly timeoutMs: number | undefined;
    }
  /** A scope whose signal is aborted after so many milliseconds. */
  | { readonly do: "abort"; readonly body: Action; readonly afterMs: number }
  /** Runs on in a cancelled run, for `timeoutMs` at most. */
  | { readonly do: "shield"; readonly body: Action; readonly timeoutMs: number }
  /** Runs the body in a scope, beside a condition that holds once the body has ended. */
  | { readonly do: "condition"; readonly body: Action; readonly timeoutMs: number | undefined }
  /**
   * Makes so many bookings, runs the body, and fails if `fails`: then, as whenever anything throws, what was booked is undone. Of each undo so many attempts of
   * two fail.
   */
  | {
      readonly do: "saga";
      readonly bookings: number;
      readonly body: Action;
      readonly fails: boolean;
      readonly undoFailures: number;
    }
  /** What a change of the code has replaced, and what it does now. Code from before the change knows nothing of it. */
  | { readonly do: "patched"; readonly id: string; readonly before: Action; readonly now: Action }
  /** The same body for each of so many items, at most `concurrency` of them under way. */
  | { readonly do: "map"; readonly items: number; readonly concurrency: number; readonly body: Action }
  | { readonly do: "loop"; readonly times: number; readonly body: Action }
  /** A variable that is set `sets` times. `fails`: whether its initial function does; `once` is the first time that it is called on any node. */
  | {
      readonly do: "variable";
      readonly name: string;
      readonly sets: number;
      readonly fails: "never" | "once" | "always";
    }
  | { readonly do: "sleep"; readonly ms: number }
  /** A run of its own, which sleeps for `ms`, runs a step, and gives `value` or fails. */
  | { readonly do: "child"; readonly ms: number; readonly value: number; readonly fails: boolean }
  | { readonly do: "wait"; readonly signal: string; readonly timeoutMs: number | undefined }
  /** A token that a step hands out, and that is answered so many milliseconds later. */
  | {
      readonly do: "token";
      readonly name: string;
      readonly answerAfterMs: number;
      readonly timeoutMs: number | undefined;
    }
  | { readonly do: "random" }
  | { readonly do: "now" }
  | {
      readonly do: "try";
      readonly body: Action;
      readonly caught: Action | undefined;
      readonly finally: Action | undefined;
    }
  /** A step or a sleep that the body does not wait for. */
  | { readonly do: "detached"; readonly name: string; readonly sleeps: boolean }
  /** Turns of the microtask queue that have nothing to do with the context. */
  | { readonly do: "noise"; readonly turns: number }
  /** Throws an Error, or cancels the run from within. */
  | { readonly do: "throw"; readonly cancels: boolean };

/** A signal that is sent to the run. */
export interface Sending {
  readonly signal: string;
  /** Different for each sending. */
  readonly payload: number;
  /** Virtual milliseconds after the sending before. */
  readonly afterMs: number;
}

/** Somebody asks to cancel the run at a commit of it. */
export interface Cancelling {
  /** From 1. */
  readonly commit: number;
  readonly when: "before" | "after";
}

/** A program and what happens to its run from outside. */
export interface Program {
  readonly body: Action;
  /** Sent one after the other as soon as the run exists: enough for every wait without a time limit. */
  readonly sendings: readonly Sending[];
  readonly cancelling: Cancelling | undefined;
  /** How often the run carries the program out: each time but the last it continues as new. */
  readonly generations: number;
  /** Updates that callers ask for, one after the other, as soon as the run exists. */
  readonly notings?: readonly Noting[];
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
    case "contest":
      return action.branches;
    case "scope":
    case "abort":
    case "shield":
    case "condition":
    case "saga":
    case "loop":
    case "map":
      return [action.body];
    case "patched":
      return [action.before, action.now];
    case "try":
      return [action.body, action.caught, action.finally].filter((one) => one !== undefined);
    default:
      return [];
  }
}

/** A program as lines for people. */
export function programLines({ body, sendings, cancelling, generations, notings = [] }: Program): readonly string[] {
  return [
    ...(generations === 1 ? [] : [`${generations} generations of`]),
    ...lines(body, ""),
    ...sendings.map(({ signal, payload, afterMs }) => `send signal=${signal} payload=${payload} afterMs=${afterMs}`),
    ...notings.map(({ afterMs, sleepsMs }) => `update afterMs=${afterMs} sleepsMs=${sleepsMs}`),
    ...(cancelling === undefined ? [] : [`cancel ${cancelling.when} commit ${cancelling.commit}`]),
  ];
}

function lines(action: Action, indent: string): readonly string[] {
  const { do: what, ...rest } = action;
  const details = Object.entries(rest)
    .filter(([, value]) => typeof value !== "object" && value !== undefined)
    .map(([key, value]) => `${key}=${String(value)}`);
  return [
    `${indent}${[what, ...details].join(" ")}`,
    ...children(action).flatMap((child) => lines(child, `${indent}  `)),
  ];
}
