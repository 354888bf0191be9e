/** What a loop did and what came of it, as data and as text. */
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
  /** Longest time without an acknowledgement. */
  readonly longestGapMs: { readonly registers: number; readonly runs: number };
}

export function formatFigures(figures: KillLoopFigures): string {
  const { seed, nodes, durationMs, faults, registers, runs, failedStarts, leaderChanges, longestGapMs } = figures;
  const { acknowledged, refused, unknown, unknownApplied, unfinished } = registers;
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  const kinds = [...faults].sort(([, a], [, b]) => b - a).map(([kind, count]) => `  ${count} x ${kind}`);
  return [
    `${nodes} nodes, seed ${seed}, ${seconds(durationMs)} of faults:`,
    ...kinds,
    `${acknowledged + refused + unknown} operations on ${registers.registers} registers: ${acknowledged} acknowledged, each applied once; ` +
      `${refused} refused, none applied; ${unknown} with unknown outcome, ${unknownApplied} of them applied`,
    `${registers.registers - unfinished.length} histories linearizable, ${unfinished.length} not decided${unfinished.length > 0 ? `: ${unfinished.join(", ")}` : ""}`,
    `${runs} runs acknowledged, each completed once and alike on every node; ${failedStarts} starts without an answer`,
    `${leaderChanges} changes of the leader; longest time without an acknowledgement: ${seconds(longestGapMs.registers)} (registers), ` +
      `${seconds(longestGapMs.runs)} (starts of runs)`,
  ].join("\n");
}
