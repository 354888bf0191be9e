/** A line on a terminal that says how far something has come. Nothing anywhere else: it would be in the way of what is printed. */
import type { CliIo } from "./io.ts";

const WIDTH = 30;

/** The line as it stands after `done` of `total`. */
export function progressLine(done: number, total: number): string {
  const part = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(part * WIDTH);
  return `[${"#".repeat(filled)}${".".repeat(WIDTH - filled)}] ${done} of ${total}`;
}

/** Shows progress on standard error of a terminal; `end` clears the line. */
export function progressBar(
  io: CliIo,
  total: number,
): { readonly at: (done: number) => void; readonly end: () => void } {
  if (!io.isTty) return { at: () => {}, end: () => {} };
  return {
    at: (done) => io.bar(progressLine(done, total)),
    end: () => io.bar(""),
  };
}
