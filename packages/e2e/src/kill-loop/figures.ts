/** What a loop did and what came of it, as data and as text. */
import type { Gap } from "../cluster/gap-watch.ts";
import type { RegisterVerdict } from "../registers/verify-registers.ts";

export interface KillLoopFigures {
  readonly seed: number;
  readonly nodes: number;
  readonly durationMs: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly registers: RegisterVerdict;
  /** Acknowledged, and completed exactly as recorded. */
  readonly runs: number;
  readonly failedStarts: number;
  readonly leaderChanges: number;
  /** Longest times without an acknowledgement. */
  readonly gaps: { readonly registers: Gap; readonly runs: Gap };
  readonly story: readonly Deed[];
}

/** Something that was done to the cluster. */
export interface Deed {
  /** By `performance.now()`. */
  readonly atMs: number;
  readonly kind: string;
  readonly detail: string;
}

/** Deeds this long before a gap may be what it came from. */
const BEFORE_MS = 2_000;

/** One line for one deed of the nemesis. */
export function formatDeed({ atMs, kind, detail }: Deed): string {
  return `${seconds(atMs)} ${kind}: ${detail}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** The figures of a loop as lines of text. */
export function formatFigures(figures: KillLoopFigures): string {
  const { seed, nodes, durationMs, faults, registers, runs, failedStarts, leaderChanges, gaps, story } = figures;
  const { acknowledged, refused, unknown, unknownApplied, unfinished } = registers;
  const { registers: gap } = gaps;
  const meanwhile = story.filter(({ atMs }) => atMs > gap.fromMs - BEFORE_MS && atMs < gap.fromMs + gap.ms);
  const kinds = [...faults].sort(([, a], [, b]) => b - a).map(([kind, count]) => `  ${count} x ${kind}`);
  return [
    `${nodes} nodes, seed ${seed}, ${seconds(durationMs)} of faults:`,
    ...kinds,
    `${acknowledged + refused + unknown} operations on ${registers.registers} registers: ${acknowledged} acknowledged, each applied once; ` +
      `${refused} refused, none applied; ${unknown} with unknown outcome, ${unknownApplied} of them applied`,
    `${registers.registers - unfinished.length} histories linearizable, ${unfinished.length} not decided${unfinished.length > 0 ? `: ${unfinished.join(", ")}` : ""}`,
    `${runs} runs acknowledged, each completed once and alike on every node; ${failedStarts} starts without an answer`,
    `${leaderChanges} changes of the leader; longest time without an acknowledgement: ${seconds(gap.ms)} (registers), ` +
      `${seconds(gaps.runs.ms)} (starts of runs)`,
    `what was done around the former, which began at ${seconds(gap.fromMs)}:`,
    `  (times are since ${new Date(performance.timeOrigin).toISOString()}, as in the nodes' logs)`,
    ...meanwhile.map((deed) => `  ${formatDeed(deed)}`),
  ].join("\n");
}
