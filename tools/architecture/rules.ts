// The rules of the architecture (docs/architecture.md): which package and which folder may know what.
//
// 1. Dependencies point one way: raft-core <- transports, storage, workflow <- raftoral <- e2e, benchmarks. Transports, storage
//    and workflow do not know each other. agents is beside raftoral, and uses its testing kit in tests alone. e2e shares the simulation's checker of
//    histories.
// 2. A package is entered by what it exports; a relative import stays within its package's src. `/testing` is for tests, and the other
//    entries of raft-core are each for one audience: transports import `/transport`, storages `/storage`.
// 3. What a package imports is in its `dependencies`, or in its `peerDependencies` where the user chooses the version.
// 4. raft-core needs no Node, no protobuf and no connect, and no other package at all; its tests compare its codec with generated code.
// 5. Pure folders are synchronous and deterministic: no clock, randomness, timers, process, console, crypto or promises. What
//    they import at run time, wherever it is, is held to the same.
// 7. Timers are the Clock's: the platform's fire at once for more than 2^31 - 1 ms, and no virtual clock moves them.
// 6. No file is longer than 400 lines without a reason; `export *` hides what an index offers.
// 8. The rooms of a package know each other one way. raftoral: api <- time, wire <- client, service <- node <- cli. workflow: wire <- model <- nodes <-
//    state <- commands <- machine <- everything else; nodes and their registration know nothing of runs. What differs from process to process (clock,
//    randomness, ids) comes from platform.ts in raftoral, so that whole programs run on virtual time.
// 9. No import circles, types included, but for those that architecture.test.ts gives a reason for.

import { posix } from "node:path";
import type { Manifest } from "../workspace.ts";
import type { Import, Module } from "./module.ts";

/** Which packages of the workspace a package may import, by short name. A package that is not here may not exist. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "raft-core": [],
  "transport-memory": ["raft-core"],
  "transport-grpc": ["raft-core"],
  "storage-lmdb": ["raft-core"],
  workflow: ["raft-core"],
  check: ["raft-core"],
  agents: ["raft-core", "workflow", "raftoral"],
  raftoral: ["raft-core", "transport-memory", "transport-grpc", "storage-lmdb", "workflow", "check"],
  simulation: ["raft-core", "transport-memory", "storage-lmdb", "workflow", "raftoral"],
  e2e: ["raft-core", "transport-memory", "transport-grpc", "storage-lmdb", "workflow", "raftoral", "simulation"],
  benchmarks: ["raft-core", "transport-memory", "transport-grpc", "storage-lmdb", "workflow", "raftoral"],
};

/** The entries of raft-core beside the one for users that a published package may import (rule 2). Others of the workspace may import all. */
const ENTRIES_OF_CORE: Readonly<Record<string, readonly string[]>> = {
  "transport-memory": ["transport"],
  "transport-grpc": ["transport", "wire"],
  "storage-lmdb": ["storage"],
  workflow: ["wire"],
  check: [],
  agents: [],
  raftoral: ["storage"],
};

/** Entries for every package that runs on Node. */
const ENTRIES_FOR_ALL = ["node-version", "require-node"];

/** Files over 400 lines, each with the reason why it is not two. Generated code is not counted. */
export const LONG_FILES: Readonly<Record<string, string>> = {};

const MAX_LINES = 400;

/** The platform's timers (rule 7), and the one file that may use them: it makes the Clock of them. */
const TIMERS = ["setTimeout", "setInterval"];
const CLOCK_FILE = "packages/raft-core/src/ports/platform.ts";

const IMPURE_NAMES = [
  "Date",
  "Math.random",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "process",
  "crypto",
  "performance",
  "console",
  "globalThis",
  "Promise",
];

/** What the tests of raft-core share and its `./testing` does not offer: it is not built (rule 4). */
const INTERNAL = "/src/testing/internal/";

/** Rooms of workflow that are not part of the replicated state: they may know all of it, and each other. */
const ENGINE_ROOMS = ["author", "blobs", "executor", "payloads", "requests", "runtime"];
const STATE_ROOMS = ["errors", "wire", "model", "records", "nodes", "state", "commands", "machine"];

/** Which rooms (folders, or files beside them) a room may import, by package (rule 8). Other packages have no rooms yet. */
const ROOMS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  workflow: {
    errors: [],
    wire: ["errors"],
    model: ["errors", "wire"],
    records: [],
    nodes: ["errors", "wire", "model", "records"],
    state: ["errors", "wire", "model", "records", "nodes"],
    commands: ["errors", "wire", "model", "records", "nodes", "state"],
    machine: ["errors", "wire", "model", "records", "nodes", "state", "commands"],
    ...Object.fromEntries(ENGINE_ROOMS.map((room) => [room, [...STATE_ROOMS, ...ENGINE_ROOMS]])),
  },
  raftoral: {
    api: [],
    codecs: ["api"],
    platform: [],
    version: [],
    time: ["api"],
    tracing: [],
    wire: ["api", "gen"],
    client: ["api", "gen", "platform", "time", "tracing", "wire"],
    service: ["api", "gen", "wire"],
    logging: ["api"],
    metrics: ["api", "node", "version"],
    node: ["api", "client", "gen", "metrics", "platform", "service", "time", "tracing", "version"],
    kit: ["api", "node", "tracing"],
    cli: ["api", "client", "logging", "node", "platform", "version", "wire"],
  },
};

/** What the rooms that run on any clock must not use; platform.ts gives it (rule 8). */
const PLATFORM_NAMES = [
  "Date",
  "Math.random",
  "performance",
  "setImmediate",
  "queueMicrotask",
  "crypto",
  "randomUUID",
  "randomBytes",
  "AbortSignal.timeout",
];
const ON_ANY_CLOCK = ["api", "client", "node", "service", "time", "wire"];

/** What a rule needs to know of the workspace: name of package to short name, and the manifest of each short name. */
export interface Workspace {
  readonly shortNames: ReadonlyMap<string, string>;
  readonly manifests: ReadonlyMap<string, Manifest>;
}

/** What a module breaks, one line each. `pure` are the paths of {@link pureModules}. */
export function violations(module: Module, workspace: Workspace, pure: ReadonlySet<string>): readonly string[] {
  const found = [
    ...module.imports.flatMap((each) => importViolations(module, each, workspace)),
    ...shapeViolations(module),
    ...(isPublishedCode(module.path, workspace) ? timerViolations(module) : []),
    ...(pure.has(module.path) ? purityViolations(module) : []),
    ...roomViolations(module),
  ];
  return found.map((text) => `${module.path}: ${text}`);
}

function importViolations(module: Module, imported: Import, workspace: Workspace): readonly string[] {
  const { specifier } = imported;
  if (specifier.startsWith(".")) return relativeViolations(module, imported);
  if (specifier.startsWith("node:")) {
    return inPackage(module.path, "raft-core") && !isTest(module.path)
      ? [`imports ${specifier}; raft-core needs no Node`]
      : [];
  }
  const owner = packageOf(module.path);
  const name = packageName(specifier);
  const target = workspace.shortNames.get(name);
  const problems: string[] = [];
  if (target !== undefined && target !== owner && MAY_IMPORT[owner]?.includes(target) !== true) {
    problems.push(`imports ${name}; ${owner} may not know ${target}`);
  }
  if (target !== undefined && specifier.endsWith("/testing") && isPublishedCode(module.path, workspace)) {
    problems.push(`imports ${specifier}, which is for tests`);
  }
  if (target === "raft-core") problems.push(...entryViolations(module.path, specifier, workspace));
  const manifest = workspace.manifests.get(owner);
  const declared = (manifest?.dependencies?.[name] ?? manifest?.peerDependencies?.[name]) !== undefined;
  if (!declared && !isTest(module.path) && isPublishedCode(module.path, workspace)) {
    problems.push(`imports ${name}, which is not in the dependencies of ${owner}`);
  }
  if (inPackage(module.path, "raft-core") && !isTest(module.path) && !module.path.includes(INTERNAL)) {
    problems.push(`imports ${specifier}; raft-core needs no other package`);
  }
  return problems;
}

/** What is wrong with the entry of raft-core that a published package imports; that of tests is judged elsewhere. */
function entryViolations(path: string, specifier: string, workspace: Workspace): readonly string[] {
  const entry = specifier.split("/").slice(2).join("/");
  const allowed = ENTRIES_OF_CORE[packageOf(path)];
  if (entry === "" || entry === "testing" || ENTRIES_FOR_ALL.includes(entry)) return [];
  if (allowed === undefined || allowed.includes(entry) || !isPublishedCode(path, workspace)) return [];
  return [`imports ${specifier}, which is not for ${packageOf(path)}`];
}

function relativeViolations(module: Module, imported: Import): readonly string[] {
  const target = posix.join(posix.dirname(module.path), imported.specifier);
  const src = module.path.slice(0, module.path.indexOf("/src/") + "/src/".length);
  const problems: string[] = [];
  if (!target.startsWith(src) && !isTest(module.path))
    problems.push(`imports ${imported.specifier}, outside of its package`);
  if (isTest(target) && !isTest(module.path)) problems.push(`imports the test ${imported.specifier}`);
  if (isForTests(target) && !isForTests(module.path) && !isTest(module.path)) {
    problems.push(`imports ${imported.specifier}, which is for tests`);
  }
  if (target.includes(INTERNAL) && !module.path.includes(INTERNAL) && !isTest(module.path)) {
    problems.push(`imports ${imported.specifier}, which is not published`);
  }
  return problems;
}

function timerViolations(module: Module): readonly string[] {
  if (module.path === CLOCK_FILE) return [];
  return TIMERS.filter((name) => module.names.has(name)).map((name) => `uses ${name}; use a Clock`);
}

function shapeViolations(module: Module): readonly string[] {
  if (isGenerated(module.path)) return [];
  const problems: string[] = [];
  if (module.lines > MAX_LINES && LONG_FILES[module.path] === undefined) {
    problems.push(`has ${module.lines} lines; split it, or list it in LONG_FILES with the reason`);
  }
  if (module.exportsAll) problems.push("has an `export *`; name what it exports");
  return problems;
}

/** The room of a module: its folder below src, or its name. Undefined for tests, what is for them, and in packages without rooms. */
function roomOf(path: string): string | undefined {
  if (isTest(path) || isForTests(path) || ROOMS[packageOf(path)] === undefined) return undefined;
  return /^packages\/[a-z-]+\/src\/([a-z-]+)(?:\/|\.ts$)/.exec(path)?.[1];
}

function roomViolations(module: Module): readonly string[] {
  const room = roomOf(module.path);
  if (room === undefined || room === "index" || room === "gen") return [];
  const owner = packageOf(module.path);
  const known = ROOMS[owner]?.[room];
  if (known === undefined) return [`is in the room ${room}, which is not in ROOMS`];
  const isOnAnyClock = owner === "raftoral" && ON_ANY_CLOCK.includes(room);
  const problems = isOnAnyClock
    ? PLATFORM_NAMES.filter((name) => module.names.has(name)).map((name) => `uses ${name}; platform.ts gives it`)
    : [];
  for (const { specifier } of module.imports) {
    if (!specifier.startsWith(".")) continue;
    const target = roomOf(posix.join(posix.dirname(module.path), specifier));
    if (target !== undefined && target !== room && !known.includes(target)) {
      problems.push(`imports ${specifier}; ${room} may not know ${target}`);
    }
  }
  return problems;
}

/** Circles of imports among modules, types included; each as the paths on its way, beginning with the first by name. */
export function importCircles(modules: readonly Module[]): readonly (readonly string[])[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const circles = new Map<string, readonly string[]>();
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path);
    if (at !== -1) {
      const circle = way.slice(at);
      const first = circle.indexOf([...circle].sort()[0] ?? "");
      const turned = [...circle.slice(first), ...circle.slice(0, first)];
      circles.set(turned.join(), turned);
      return;
    }
    if (done.has(path)) return;
    for (const { specifier } of byPath.get(path)?.imports ?? []) {
      const target = posix.join(posix.dirname(path), specifier);
      if (specifier.startsWith(".") && byPath.has(target)) visit(target, [...way, path]);
    }
    done.add(path);
  };
  for (const path of [...byPath.keys()].sort()) visit(path, []);
  return [...circles.values()];
}

/** What pure modules of other packages may import. */
const PURE_ENTRIES = ["@raftoral/raft-core", "@raftoral/raft-core/wire"];

function purityViolations(module: Module): readonly string[] {
  const problems = IMPURE_NAMES.filter((name) => module.names.has(name)).map((name) => `uses ${name}; it must be pure`);
  if (module.asynchronous) problems.push("is asynchronous; it must be pure");
  for (const { specifier, typeOnly } of module.imports) {
    if (!typeOnly && !specifier.startsWith(".") && !PURE_ENTRIES.includes(specifier)) {
      problems.push(`imports ${specifier}; it must be pure`);
    }
  }
  return problems;
}

/** The modules of the pure folders, and what those import at run time of their package, and so on. */
export function pureModules(modules: readonly Module[]): ReadonlySet<string> {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const pure = new Set(modules.map((module) => module.path).filter(isInPureFolder));
  // A set hands out what is added while it is walked.
  for (const path of pure) {
    for (const { specifier, typeOnly } of byPath.get(path)?.imports ?? []) {
      const target = posix.join(posix.dirname(path), specifier);
      if (!typeOnly && specifier.startsWith(".") && byPath.has(target)) pure.add(target);
    }
  }
  return pure;
}

/** In raft-core the entries only name what others import, and the ports and what carries them out have asynchronous parts. */
const IMPURE_IN_CORE =
  /^((driver|testing|eraftpb|wire|ports|memory|transport-kit)\/|(index|core|transport|storage|require-node)\.ts$)/;

function isInPureFolder(path: string): boolean {
  if (isTest(path) || isGenerated(path)) return false;
  if (/^packages\/workflow\/src\/(wire|model|records|nodes|state|commands|machine)\//.test(path)) return true;
  const inCore = path.match(/^packages\/raft-core\/src\/(.*)$/)?.[1];
  return inCore !== undefined && !IMPURE_IN_CORE.test(inCore);
}

function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

function isForTests(path: string): boolean {
  return path.includes("/src/testing/");
}

function isGenerated(path: string): boolean {
  return /\/src\/(.*\/)?gen\//.test(path);
}

/** Code that `dist` is built of, other than what is for tests itself. */
function isPublishedCode(path: string, workspace: Workspace): boolean {
  return workspace.manifests.get(packageOf(path))?.private !== true && !isTest(path) && !isForTests(path);
}

function inPackage(path: string, shortName: string): boolean {
  return packageOf(path) === shortName;
}

/** Short name of the package a path is in: `packages/workflow/src/index.ts` is in `workflow`. */
function packageOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "packages" ? second : first;
}

/** `@scope/name/sub` is of the package `@scope/name`. */
function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
