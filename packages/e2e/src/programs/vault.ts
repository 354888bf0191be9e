/** Workflows that write to a file under a lock, each with the lock's token: an outside system, in which tokens must not fall. */
import { appendFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { workflow } from "raftoral";

/** What a run of `vault` does. */
export interface VaultInput {
  readonly lock: string;
  readonly permits: number;
  /** Where its entries go. */
  readonly file: string;
  /** How often it takes the lock. */
  readonly times: number;
  /** How long each step under the lock takes. */
  readonly stepMs: number;
}

/** One line of the file. */
export interface VaultEntry {
  readonly what: "in" | "out";
  readonly run: string;
  readonly token: number;
}

/** Takes the lock so often, and writes when it comes in and when it goes out. The result has its tokens. */
export const vault = workflow("vault", { version: 1 }, async (ctx, input: VaultInput) => {
  const { lock: name, permits, file, times, stepMs } = input;
  const tokens: number[] = [];
  const write = (what: VaultEntry["what"], token: number): Promise<void> =>
    appendFile(file, `${JSON.stringify({ what, run: ctx.runId, token } satisfies VaultEntry)}\n`);
  for (let time = 0; time < times; time += 1) {
    const token = await ctx.semaphore(name, permits, async (inner, lock) => {
      await inner.step("in", () => write("in", lock.token));
      await inner.step("work", () => pause(stepMs));
      await inner.step("out", () => write("out", lock.token));
      return lock.token;
    });
    tokens.push(token);
  }
  return tokens;
});

/** Takes as many permits of a limiter, one after the other. */
export const tap = workflow(
  "tap",
  { version: 1 },
  async (ctx, input: { readonly limiter: string; readonly times: number }) => {
    for (let time = 0; time < input.times; time += 1)
      await ctx.limit(input.limiter, { limit: 20, period: "1s", burst: 5 });
    return input.times;
  },
);
