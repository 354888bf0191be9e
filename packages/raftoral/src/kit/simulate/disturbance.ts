/** What a simulation does to a run, and where, in a form that fits on one line: `kill-owner@commit:2:after`. */
import type { CommandName, Moment } from "../faults/moment.ts";

/** Every kind of disturbance. */
export const DISTURBANCE_KINDS = Object.freeze([
  "kill-owner",
  "kill-leader",
  "lose-owner",
  "stop-owner",
  "drain-owner",
  "cut-off-owner",
  "cut-off-leader",
  "power-cut",
  "move",
  "transfer",
  "cancel",
  "delay",
  "lose",
  "lossy",
  "evict",
] as const);

/**
 * kill-owner, kill-leader: the process dies, and another one starts on its node a while later. lose-owner: another one starts at once, and dies while its
 * registration is on its way into the log, for the disks of the other nodes stall; the node comes back when the run has ended. stop-owner: an orderly stop,
 * and a start later. drain-owner: it hands its runs over, stays up, and executes again later. cut-off-owner, cut-off-leader: a partition that heals later.
 * power-cut: all processes die at once, and others start later. move: the run goes to another node. transfer: the leadership does. cancel: the run is
 * cancelled. delay: messages and signals are late from then on. lose: of the entries that the owner sends next, the first message to
 * each node is lost; later ones overtake it. lossy: for a while some messages between nodes are lost, and some come twice. evict: the body leaves its owner's memory the next time it rests, and comes back when
 * something happens to the run.
 */
export type DisturbanceKind = (typeof DISTURBANCE_KINDS)[number];

/** One disturbance at one moment of the run, or at one at which a node registers. */
export interface Disturbance {
  readonly kind: DisturbanceKind;
  readonly at: "call" | "commit" | "registration" | CommandName;
  /** The n-th call of the body that runs then, the n-th entry with records of the run, the n-th registration, or the n-th command of its name; from 1. */
  readonly nth: number;
  readonly when: "begins" | "answered" | "before" | "proposed" | "after";
}

const FORM = /^([a-z-]+)@(call|commit|registration|start|signal|cancel|end):(\d+):([a-z]+)$/;
const CALL_WHEN = Object.freeze(["begins", "answered"] as const);
const COMMIT_WHEN = Object.freeze(["before", "proposed", "after"] as const);

function whensOf(at: Disturbance["at"]): readonly Disturbance["when"][] {
  return at === "call" ? CALL_WHEN : COMMIT_WHEN;
}

/** A plan as text. */
export function planText(plan: readonly Disturbance[]): string {
  return plan.map(({ kind, at, nth, when }) => `${kind}@${at}:${nth}:${when}`).join("; ");
}

/** The plan of a text that {@link planText} made. Throws a TypeError that names what is wrong. */
export function parsePlan(text: string): readonly Disturbance[] {
  if (text.trim() === "") return [];
  return text.split(";").map((part) => {
    const [, kind, place, nth, when] = FORM.exec(part.trim()) ?? [];
    const at = place as Disturbance["at"] | undefined;
    const found = DISTURBANCE_KINDS.find((one) => one === kind);
    const moment = at === undefined ? undefined : whensOf(at).find((one) => one === when);
    if (found === undefined || at === undefined || moment === undefined || Number(nth) < 1) {
      throw new TypeError(
        `"${part.trim()}" is no disturbance. Write KIND@call:N:begins|answered or KIND@commit|registration|start|signal|cancel|end:N:before|proposed|after, with KIND one of ${DISTURBANCE_KINDS.join(", ")}.`,
      );
    }
    return { kind: found, at, nth: Number(nth), when: moment };
  });
}

/** When a disturbance comes. */
export function momentOf({ at, nth, when }: Disturbance, runId: string): Moment {
  if (at === "call") return { runId, call: nth, when: when === "answered" ? "answered" : "begins" };
  const stage = when === "proposed" || when === "after" ? when : "before";
  if (at === "commit") return { runId, commit: nth, when: stage };
  if (at === "registration") return { registration: "any", nth, when: stage };
  return { runId, command: at, nth, when: stage };
}

/** A plan of 1 to 3 disturbances, drawn from `below`, for a run that makes so many calls and commits when nothing disturbs it. */
export function drawPlan(
  below: (bound: number) => number,
  kinds: readonly DisturbanceKind[],
  { calls, commits }: { readonly calls: number; readonly commits: number },
): readonly Disturbance[] {
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  return Array.from({ length: 1 + below(3) }, () => {
    const place = below(9);
    const at = place < 4 ? "call" : place < 8 ? "commit" : pick(["start", "end"] as const);
    const most = at === "call" ? calls : at === "commit" ? commits : 1;
    return { kind: pick(kinds), at, nth: 1 + below(Math.max(1, most)), when: pick(whensOf(at)) };
  });
}
