/**
 * Finds non-determinism where it comes from: names what a body uses of the platform instead of its context.
 *
 * Role: while guards are installed, `Date`, timers, randomness, the environment, files, sockets and processes say where they are used. A use inside of a
 * body and outside of a step is told by name; every other one goes on as if nothing stood in between.
 *
 * U1. Code that runs in no body notices nothing, but for the functions' identity.
 * U2. Guards are counted: the platform's own functions are back when the last user has let go.
 * U3. What Node or a console does for a body (loading a module, stamping a printed line, reading a source map) is no use of the body's.
 * U4. The AI SDK, which `@raftoral/agents` has run in a body, may read clocks and draw random numbers for itself: for the durations in its results, and for ids in whose place
 *     the recorded ones come. What a body's own code asks the SDK for (`generateId`) is told, and so is whatever else the SDK uses.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import { GUARDED_FUNCTIONS, NOW, RANDOM, STEP } from "./guarded-functions.ts";

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

/** A frame of this file, in the sources or built. */
const OWN_FRAME = /\/kit\/guard\/body-guard\.[jt]s/;

/** A frame of Node's own code. */
const NODES_FRAME = /(?:\(|at )node:/;

/** Frames of the AI SDK: of the functions that it offers to everybody, and of its own code, which calls them (U4). */
const SDK_TOOLS_FRAME = /\/node_modules\/@ai-sdk\/provider-utils\//;
const SDK_FRAME = /\/node_modules\/ai\//;
const LET_THROUGH: ReadonlySet<string> = new Set([NOW, RANDOM]);

function told(what: string, instead: string): void {
  const at = place.getStore();
  if (at?.report === undefined) return;
  const { runId, workflowType, report } = at;
  // A hook that prepares stacks may read files for it.
  const used = new Error("used here");
  const stack = outsideOfBody(() => {
    Error.captureStackTrace(used, told);
    return used.stack?.split("\n") ?? [];
  });
  // The frame above is the guard's own.
  const where = stack.find((line, at) => at > 0 && !OWN_FRAME.test(line));
  if (where !== undefined && NODES_FRAME.test(where)) return;
  if (LET_THROUGH.has(instead) && isOfSdk(stack)) return;
  report({ runId, workflowType, what, instead, where: where?.trim() ?? "" });
}

function isOfSdk(stack: readonly string[]): boolean {
  const asking = stack.find((line, at) => at > 0 && !OWN_FRAME.test(line) && !SDK_TOOLS_FRAME.test(line));
  return asking !== undefined && SDK_FRAME.test(asking);
}

function guardAll(): () => void {
  const undo = GUARDED_FUNCTIONS.flatMap(({ owner, prefix, names, instead }) =>
    names.map((name) => guardFunction(owner, `${prefix}${name}`, name, instead)),
  );
  undo.push(guardDate(), guardEnvironment(), ...freeConsole());
  // What was imported by name from a module of Node follows.
  syncBuiltinESMExports();
  return () => {
    for (const back of undo) back();
    syncBuiltinESMExports();
  };
}

function guardFunction(owner: object, what: string, name: string, instead: string): () => void {
  const found = Object.getOwnPropertyDescriptor(owner, name);
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== "function" || found?.configurable === false) return () => {};
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

/** Variables that tools set and libraries ask for, the same on all nodes of a cluster. */
const COMMON_VARIABLES: ReadonlySet<string | symbol> = new Set(["NODE_ENV"]);

/** Reading a variable of the environment. */
function guardEnvironment(): () => void {
  const original = process.env;
  process.env = new Proxy(original, {
    get(target, name) {
      if (typeof name === "string" && !COMMON_VARIABLES.has(name)) told(`process.env.${name}`, STEP);
      return Reflect.get(target, name) as string | undefined;
    },
  });
  return () => {
    process.env = original;
  };
}

const PRINTING = Object.freeze(["debug", "dir", "error", "info", "log", "table", "trace", "warn"] as const);

/** What test runners and terminals do with a line that a body prints is theirs (U3). */
function freeConsole(): readonly (() => void)[] {
  const { console } = globalThis;
  return PRINTING.map((name) => {
    const original = console[name];
    console[name] = (...args: unknown[]) => outsideOfBody(() => Reflect.apply(original, console, args));
    return () => {
      console[name] = original;
    };
  });
}
