/**
 * Finds non-determinism where it comes from: names what a body uses of the platform instead of its context.
 *
 * Role: while guards are installed, `Date`, timers, randomness, `fetch` and the like say where they are called. A call inside of a body and
 * outside of a step is told by name; every other call goes on as if nothing stood in between.
 *
 * U1. Code that runs in no body notices nothing, but for the functions' identity.
 * U2. Guards are counted: the platform's own functions are back when the last user has let go.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Where code runs. */
interface Place {
  readonly runId: string;
  readonly workflowType: string;
  /** Undefined inside of a step. */
  readonly report: ((use: PlatformUse) => void) | undefined;
}

/** A body used something of the platform. */
export interface PlatformUse {
  readonly runId: string;
  readonly workflowType: string;
  /** `Date.now`, `setTimeout`, ... */
  readonly what: string;
  /** What to use in its place. */
  readonly instead: string;
  /** Where, as a line of a stack. */
  readonly where: string;
}

const place = new AsyncLocalStorage<Place>();
let users = 0;
let restore: () => void = () => {};

/** Runs a body. Uses of the platform in it are told to `report`. */
export function inBody<T>(
  body: { readonly runId: string; readonly workflowType: string },
  report: (use: PlatformUse) => void,
  run: () => T,
): T {
  return place.run({ ...body, report }, run);
}

/** Runs what may use whatever it likes: a step's function, a logger. */
export function outsideOfBody<T>(run: () => T): T {
  const at = place.getStore();
  return at === undefined ? run() : place.run({ ...at, report: undefined }, run);
}

/** Puts guards around the platform's functions. Returns the way to take them away. */
export function installGuards(): () => void {
  users += 1;
  if (users === 1) restore = guardAll();
  let isInstalled = true;
  return () => {
    if (!isInstalled) return;
    isInstalled = false;
    users -= 1;
    if (users === 0) restore();
  };
}

function told(what: string, instead: string): void {
  const at = place.getStore();
  if (at?.report === undefined) return;
  const { runId, workflowType, report } = at;
  // The frames above are the guard's own.
  const where = new Error("used here").stack?.split("\n").find((line, i) => i > 0 && !line.includes("/kit/guard/"));
  report({ runId, workflowType, what, instead, where: where?.trim() ?? "" });
}

const NOW = "await ctx.now()";
const SLEEP = "await ctx.sleep(...)";
const RANDOM = "ctx.random()";
const STEP = "a step: ctx.step(name, () => ...)";

/** Functions by their owner: name, what to use instead. */
function guarded(): readonly (readonly [owner: object, ownerName: string, name: string, instead: string])[] {
  return [
    [Date, "Date.", "now", NOW],
    [performance, "performance.", "now", NOW],
    [Math, "Math.", "random", RANDOM],
    [globalThis, "", "setTimeout", SLEEP],
    [globalThis, "", "setInterval", SLEEP],
    [globalThis, "", "setImmediate", SLEEP],
    [globalThis, "", "fetch", STEP],
    [globalThis.crypto, "crypto.", "randomUUID", "ctx.uuid()"],
    [globalThis.crypto, "crypto.", "getRandomValues", RANDOM],
    [process, "process.", "hrtime", NOW],
    [process, "process.", "cwd", STEP],
  ];
}

function guardAll(): () => void {
  const undo = guarded().map(([owner, ownerName, name, instead]) =>
    guardFunction(owner, `${ownerName}${name}`, name, instead),
  );
  undo.push(guardDate());
  return () => {
    for (const back of undo) back();
  };
}

function guardFunction(owner: object, what: string, name: string, instead: string): () => void {
  const found = Object.getOwnPropertyDescriptor(owner, name);
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== "function") return () => {};
  const guard = new Proxy(original, {
    apply(target, self, args) {
      told(what, instead);
      return Reflect.apply(target as (...all: unknown[]) => unknown, self, args);
    },
  });
  Object.defineProperty(owner, name, {
    value: guard,
    configurable: true,
    writable: true,
    enumerable: found?.enumerable ?? true,
  });
  return () => {
    if (found === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, found);
  };
}

/** `new Date()` and `Date()` read the clock; `new Date(value)` does not. */
function guardDate(): () => void {
  const original = globalThis.Date;
  globalThis.Date = new Proxy(original, {
    apply(target, self, args) {
      told("Date()", NOW);
      return Reflect.apply(target, self, args);
    },
    construct(target, args, made) {
      if (args.length === 0) told("new Date()", NOW);
      return Reflect.construct(target, args, made === globalThis.Date ? target : made) as object;
    },
  });
  return () => {
    globalThis.Date = original;
  };
}
