/** What a simulation does to a run, and where, in a form that fits on one line: `kill-owner@commit:2:after`. */
import type { Moment } from "../faults/moment.ts";

/** Every kind of disturbance. */
export const DISTURBANCE_KINDS = Object.freeze([
  "kill-owner",
  "kill-leader",
  "stop-owner",
  "cut-off-owner",
  "move",
  "transfer",
  "cancel",
  "delay",
] as const);

/**
 * kill-owner, kill-leader: the process dies, and another one starts on its node a while later. stop-owner: an orderly stop, and a start later.
 * cut-off-owner: a partition that heals later. move: the run goes to another node. transfer: the leadership does. cancel: the run is cancelled.
 * delay: messages and signals are late from then on.
 */
export type DisturbanceKind = (typeof DISTURBANCE_KINDS)[number];

/** One disturbance at one moment of the run. */
export interface Disturbance {
  readonly kind: DisturbanceKind;
  readonly at: "call" | "commit";
  /** The n-th call of the body that runs then, or the n-th record of the run; from 1. */
  readonly nth: number;
  readonly when: "begins" | "answered" | "before" | "proposed" | "after";
}

const FORM = /^([a-z-]+)@(call|commit):(\d+):([a-z]+)$/;
const WHEN = Object.freeze({ call: ["begins", "answered"], commit: ["before", "proposed", "after"] } as const);

/** A plan as text. */
export function planText(plan: readonly Disturbance[]): string {
  return plan.map(({ kind, at, nth, when }) => `${kind}@${at}:${nth}:${when}`).join("; ");
}

/** The plan of a text that {@link planText} made. Throws a TypeError that names what is wrong. */
export function parsePlan(text: string): readonly Disturbance[] {
  if (text.trim() === "") return [];
  return text.split(";").map((part) => {
    const [, kind, at, nth, when] = FORM.exec(part.trim()) ?? [];
    const place = at === "call" || at === "commit" ? at : undefined;
    const found = DISTURBANCE_KINDS.find((one) => one === kind);
    const moment = place === undefined ? undefined : WHEN[place].find((one) => one === when);
    if (found === undefined || place === undefined || moment === undefined || Number(nth) < 1) {
      throw new TypeError(
        `"${part.trim()}" is no disturbance. Write KIND@call:N:begins|answered or KIND@commit:N:before|proposed|after, with KIND one of ${DISTURBANCE_KINDS.join(", ")}.`,
      );
    }
    return { kind: found, at: place, nth: Number(nth), when: moment };
  });
}

/** When a disturbance comes. */
export function momentOf({ at, nth, when }: Disturbance, runId: string): Moment {
  if (at === "call") return { runId, call: nth, when: when === "answered" ? "answered" : "begins" };
  return { runId, commit: nth, when: when === "proposed" || when === "after" ? when : "before" };
}

/** A plan of 1 to 3 disturbances, drawn from `below`, for a run that makes so many calls and records when nothing disturbs it. */
export function drawPlan(
  below: (bound: number) => number,
  kinds: readonly DisturbanceKind[],
  { calls, commits }: { readonly calls: number; readonly commits: number },
): readonly Disturbance[] {
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  return Array.from({ length: 1 + below(3) }, () => {
    const at = below(2) === 0 ? "call" : "commit";
    const nth = 1 + below(Math.max(1, at === "call" ? calls : commits));
    return { kind: pick(kinds), at, nth, when: pick<Disturbance["when"]>(WHEN[at]) };
  });
}
