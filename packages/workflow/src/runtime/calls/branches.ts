/**
 * Branches of a body that end together: scopes with a limit, races, shields, and calls with an abort signal.
 *
 * BN1. A branch is cancelled at a place of the body's course that a replay comes to as well: by the body's own code, or by a sleep, whose end is
 *      recorded.
 * BN2. When the function of a branch has settled, whatever it left open in the branch is cancelled.
 * BN3. A race ends when all its branches have settled: what a loser does to clean up is a part of the race.
 */
import { BranchCancelledError, ScopeTimeoutError } from "../../author/errors/errors.ts";
import { WorkflowError } from "../../errors.ts";
import { Branch } from "../body/branch.ts";
import type { CallSite } from "./call-site.ts";
import { called } from "./called.ts";
import { sleep } from "./sleep.ts";

/** What ends a branch before its function does. */
export interface BranchLimits {
  /** Where the end of its time is recorded, how it is named in errors, and how long it is. */
  readonly timeout?: { readonly path: string; readonly scope: string; readonly ms: number } | undefined;
  /** Aborted by the body. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs `fn` in `branch`, which ends with it (BN2). Rejects with what `fn` rejects with. */
export async function inBranch<T>(
  site: CallSite,
  branch: Branch,
  { timeout, signal }: BranchLimits,
  fn: (site: CallSite) => T | Promise<T>,
): Promise<T> {
  const aborted = (): void => branch.cancel(errorOf(signal?.reason));
  if (signal?.aborted === true) aborted();
  else signal?.addEventListener("abort", aborted, { once: true });
  if (timeout !== undefined) {
    const { path, scope, ms } = timeout;
    const timer = site.within(new Branch(branch));
    called(() => timer.call(() => sleep(timer, path, ms))).then(
      () => branch.cancel(new ScopeTimeoutError(scope, ms)),
      () => {},
    );
  }
  try {
    return await fn(site.within(branch));
  } finally {
    signal?.removeEventListener("abort", aborted);
    branch.cancel(BranchCancelledError.scopeEnded());
    branch.leave();
  }
}

/** Which branch of a race was first, and what it gave. */
export interface Winner {
  readonly winner: string;
  readonly value: unknown;
}

/** Runs all branches; the first one that settles decides, and the others are cancelled (BN3). Rejects with INPUT_INVALID when there are none. */
export async function race(
  site: CallSite,
  branches: readonly (readonly [name: string, run: (site: CallSite) => unknown])[],
): Promise<Winner> {
  if (branches.length === 0)
    throw new WorkflowError("INPUT_INVALID", "A race has no branches, and would never end. Give it one at least.");
  const runners = branches.map(([name, run]) => {
    const branch = new Branch(site.branch);
    const value = called(async () => await inBranch(site, branch, {}, run));
    return { name, branch, value };
  });
  const first = Promise.race(runners.map(async ({ name, value }) => [name, await settled(value)] as const));
  const [winner, outcome] = await first;
  const lost = BranchCancelledError.lostTo(winner);
  for (const { name, branch } of runners) if (name !== winner) branch.cancel(lost);
  await Promise.allSettled(runners.map(({ value }) => value));
  if (!outcome.ok) throw outcome.error;
  return { winner, value: outcome.value };
}

type Settled = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

function settled(promise: Promise<unknown>): Promise<Settled> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error }),
  );
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new BranchCancelledError(String(reason));
}
