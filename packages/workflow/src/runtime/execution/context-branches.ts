/** The methods of a context that run a function in a scope, or in a branch of its own: `scope`, `map`, `race`, `shield`, `lock` and `semaphore`; and `condition`, whose time is one. */
import { type LimitOptions, type LockOptions, permitLimits, rateLimits } from "../../author/lock.ts";
import { type Duration, durationMs } from "../../author/values/duration.ts";
import type {
  ConditionOptions,
  MapOptions,
  RaceBranches,
  ScopeOptions,
  ShieldOptions,
  WithLock,
  WorkflowContext,
} from "../../author/workflow-context.ts";
import { WorkflowError } from "../../errors.ts";
import { Branch } from "../body/branch.ts";
import { inBranch, race, type Winner } from "../calls/branches.ts";
import type { CallSite } from "../calls/call-site.ts";
import { called } from "../calls/called.ts";
import { condition } from "../calls/condition.ts";
import { checkNested, permit, withLock } from "../calls/lock.ts";
import { mapped } from "../calls/mapped.ts";
import { sleep } from "../calls/sleep.ts";
import { Places } from "../calls/steps/places.ts";
import type { ContextScope } from "./context-scope.ts";
import { checkedConcurrency, DEFAULT_MAP_CONCURRENCY, DEFAULT_SHIELD_MS, timeoutIn } from "./scope-limits.ts";

type InContext<T> = (ctx: WorkflowContext) => T | Promise<T>;

/** `ctx.scope`. */
export function inScope<T>(own: ContextScope, name: string, fn: InContext<T>, options: ScopeOptions): Promise<T> {
  return called(async () => {
    const refused = own.refusal("scope", name);
    if (refused !== undefined) return refused;
    const { concurrency, timeout, signal } = options;
    const paths = own.paths.scope(name);
    const site =
      concurrency === undefined
        ? own.site
        : own.site.bounded(new Places(checkedConcurrency(concurrency), own.site.places));
    const run = (within: CallSite): T | Promise<T> => fn(own.context(paths, within));
    if (timeout === undefined && signal === undefined) return await run(site);
    const limits = { timeout: timeoutIn(paths, name, timeout), signal };
    return await inBranch(site, new Branch(site.branch), limits, run);
  });
}

/** `ctx.map`. */
export function inItems<Item, Result>(
  own: ContextScope,
  items: Iterable<Item>,
  fn: (ctx: WorkflowContext, item: Item, index: number) => Result | Promise<Result>,
  { concurrency = DEFAULT_MAP_CONCURRENCY, name = "map" }: MapOptions,
): Promise<Result[]> {
  return called(async () => {
    const refused = own.refusal("map", name);
    if (refused !== undefined) return refused;
    const paths = own.paths.scope(name);
    const atOnce = checkedConcurrency(concurrency);
    return await inBranch(own.site, new Branch(own.site.branch), {}, (site) =>
      mapped([...items], atOnce, async (item, index) => fn(own.context(paths.item(index), site), item, index)),
    );
  });
}

/** `ctx.race`. */
export function inRace(own: ContextScope, branches: RaceBranches): Promise<Winner> {
  return called(async () => {
    const refused = own.refusal("race", undefined);
    if (refused !== undefined) return refused;
    const named = Object.entries(branches);
    if (named.length === 0) {
      throw new WorkflowError("INPUT_INVALID", "A race has no branches, and would never end. Give it one at least.");
    }
    const runs = named.map(([name, fn]) => {
      const paths = own.paths.scope(name);
      return [name, (site: CallSite) => fn(own.context(paths, site))] as const;
    });
    return await race(own.site, runs);
  });
}

/** `ctx.shield`. */
export function inShield<T>(own: ContextScope, fn: InContext<T>, options: ShieldOptions): Promise<T> {
  return called(async () => {
    const { name = "shield", timeout = DEFAULT_SHIELD_MS } = options;
    const refused = own.refusal("shield", name);
    if (refused !== undefined) return refused;
    const paths = own.paths.scope(name);
    const limits = { timeout: timeoutIn(paths, name, timeout) };
    const ended = own.execution.shield();
    try {
      return await inBranch(own.site, new Branch(own.site.branch, true), limits, (site) =>
        fn(own.context(paths, site)),
      );
    } finally {
      ended();
    }
  });
}

/** `ctx.lock` and `ctx.semaphore`. */
export function inLock<T>(
  own: ContextScope,
  name: string,
  permits: number,
  fn: WithLock<T>,
  { timeout, signal }: LockOptions,
): Promise<T> {
  return called(async () => {
    const refused = own.refusal("lock", name);
    if (refused !== undefined) return refused;
    const limits = permitLimits(name, permits);
    const timeoutMs = timeout === undefined ? undefined : durationMs(timeout);
    checkNested(name);
    const paths = own.paths.scope(name);
    // No path of a call within the scope: those have a number.
    const call = { path: `${paths.prefix}lock`, name, limits, timeoutMs };
    return await withLock(own.site, own.execution.children, { call, signal }, (site, lock) =>
      fn(own.context(paths, site), lock),
    );
  });
}

/** `ctx.limit`. */
export function onLimit(own: ContextScope, name: string, options: LimitOptions): Promise<void> {
  const { timeout, signal } = options;
  return own.call("limit", name, signal, () => {
    const limits = rateLimits(name, options);
    const timeoutMs = timeout === undefined ? undefined : durationMs(timeout);
    const call = { path: own.paths.next(name), name, limits, timeoutMs };
    return (site) => permit(site, own.execution.children, call);
  });
}

/** `ctx.condition`. With a timeout, gives whether the condition came to hold in time. */
export function onCondition(
  own: ContextScope,
  holds: () => boolean,
  options: { readonly timeout?: Duration | undefined } & Omit<ConditionOptions, "timeout">,
): Promise<unknown> {
  const { name = "condition", timeout, signal } = options;
  return called(async () => {
    const refused = own.refusal("condition", name);
    if (refused !== undefined) return refused;
    const path = own.paths.next(name);
    const timeoutMs = timeout === undefined ? undefined : durationMs(timeout);
    return inBranch(own.site, new Branch(own.site.branch), { signal }, async (site) => {
      const held = site.call(() => condition(site, holds));
      if (timeoutMs === undefined) return held;
      const late = site.call(() => sleep(site, path, timeoutMs));
      return await Promise.race([held.then(() => true), late.then(() => false)]);
    });
  });
}
