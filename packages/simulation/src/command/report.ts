/** How a finding is told: what is wrong, where, the faults that lead to it, and the command that shows it again. */
import type { RunResult } from "../run-seed.ts";
import type { Shrunk } from "./shrinker.ts";

/** How a run differs from one that tests the sources as they are. */
interface Deviations {
  readonly mutant?: string | undefined;
  readonly ignore?: readonly string[];
}

/** The flags that repeat it, each with a space before it. */
export function flagsOf({ mutant, ignore = [] }: Deviations): string {
  return `${mutant === undefined ? "" : ` --mutant ${mutant}`}${ignore.length === 0 ? "" : ` --ignore ${ignore}`}`;
}

/** `steps`, `mutant` and `ignore` are those of the run. */
export function reportFinding(
  failed: RunResult,
  shrunk: Shrunk | undefined,
  options: { readonly steps: number } & Deviations,
): readonly string[] {
  const { seed, finding, events, virtualMs } = failed;
  const small = shrunk?.result ?? failed;
  const lines = [
    "",
    `FINDING     seed ${seed}, event ${events}, after ${virtualMs.toFixed(1)} ms of virtual time`,
    `            ${finding?.message ?? ""}`,
  ];
  if (shrunk !== undefined) {
    lines.push(`shrunk      from ${failed.injected.length} faults to ${shrunk.only.length}, in ${shrunk.runs} runs`);
    if (small !== failed) lines.push(`            event ${small.events}: ${small.finding?.message ?? ""}`);
  }
  for (const { number, atMs, text } of small.injected) {
    lines.push(`            ${String(number).padStart(4)}  at ${atMs.toFixed(1).padStart(9)} ms  ${text}`);
  }
  const only = shrunk === undefined ? "" : ` --only ${shrunk.only.length === 0 ? "none" : shrunk.only.join(",")}`;
  lines.push(
    `again       npm run simulate -- --seeds 1 --start ${seed} --steps ${options.steps}${flagsOf(options)}${only}`,
    "            and with --trace to read what happened",
    "",
  );
  return lines;
}
