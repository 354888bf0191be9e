// @module-tag slow

import { appendFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installed, root, run } from "../process.ts";
import { filesIn, workspacePackages } from "../workspace.ts";

// What nx runs again after a change, asked of nx itself: a workspace with this one's nx.json and projects, in which every task only writes its name down.

const NX_MS = 180_000;
/** Files that a case changes or that a task depends on, by what is in them: nothing. */
const EXTRA = [
  "docs/metrics.md",
  "docs/errors.md",
  "tools/quickstart/main.ts",
  "tools/build/package.ts",
  "tools/task/package.ts",
  "vitest.config.ts",
];
const packages = await workspacePackages();
const published = packages.filter((candidate) => candidate.published);

interface Json {
  [key: string]: unknown;
}

let workspace: string;

async function readJson(file: string): Promise<Json> {
  return JSON.parse(await readFile(join(root, file), "utf8")) as Json;
}

/** A file of the workspace, with its folders. */
async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(workspace, file)), { recursive: true });
  await writeFile(join(workspace, file), text);
}

/** The project of a folder, with a command in the place of each of its tasks. */
async function writeProject(folder: string, targets: readonly string[]): Promise<void> {
  const own =
    (await filesIn(root, [`${folder}/project.json`])).length > 0 ? await readJson(`${folder}/project.json`) : {};
  const configured = (own.targets ?? {}) as Record<string, Json>;
  const replaced = targets.map((target) => {
    const { command: _, ...inherited } = configured[target] ?? {};
    const options = { command: `echo ${folder}:${target} >> ran.log`, cwd: workspace };
    return [target, { ...inherited, executor: "nx:run-commands", options }];
  });
  await write(`${folder}/project.json`, JSON.stringify({ ...own, targets: Object.fromEntries(replaced) }));
}

/** Runs all tasks through nx; returns those that were not answered from the cache. */
async function tasksRun(): Promise<ReadonlySet<string>> {
  await writeFile(join(workspace, "ran.log"), "");
  const targets = "build,check,test,test-dist,test-cache,sample,pack";
  const outcome = await run(installed("nx"), ["run-many", "-t", targets, "--parallel=4"], {
    cwd: workspace,
    timeoutMs: NX_MS,
  });
  if (!outcome.ok) throw new Error(outcome.output);
  return new Set((await readFile(join(workspace, "ran.log"), "utf8")).split("\n").filter((line) => line !== ""));
}

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), "raftoral-cache-"));
  await symlink(join(root, "node_modules"), join(workspace, "node_modules"), "dir");
  for (const file of ["package.json", "package-lock.json", "nx.json"])
    await cp(join(root, file), join(workspace, file));
  await write(".gitignore", "node_modules\n.nx\nran.log\n");
  await write("benchmarks/package.json", await readFile(join(root, "benchmarks/package.json"), "utf8"));
  for (const file of EXTRA) await write(file, "");
  await write("tools/conformance/digest.ts", 'console.log("none");');
  for (const { shortName, manifest } of packages) {
    if (shortName === "benchmarks") continue;
    const folder = `packages/${shortName}`;
    await write(`${folder}/package.json`, JSON.stringify({ ...manifest, scripts: {} }));
    for (const file of ["src/index.ts", "src/index.test.ts", "README.md"]) await write(`${folder}/${file}`, "");
    await writeProject(
      folder,
      Object.keys(manifest.scripts ?? {}).filter((name) => !name.startsWith("bench")),
    );
  }
  await writeProject("tools", ["check", "test", "test-cache", "pack"]);
  await tasksRun();
}, NX_MS);
afterAll(() => rm(workspace, { recursive: true, force: true }));

describe("npm test runs again, after a change of", { timeout: NX_MS }, () => {
  test.each<[string, string | undefined, readonly string[]]>([
    ["nothing: nothing", undefined, []],
    ["a document: the tests of the tools", "docs/errors.md", ["tools:test"]],
    [
      "a document that a package's tests read: those too",
      "docs/metrics.md",
      ["tools:test", "packages/raftoral:test", "packages/raftoral:test-dist"],
    ],
    [
      "a test: the tests of its package",
      "packages/workflow/src/index.test.ts",
      ["tools:check", "tools:test", "packages/workflow:test", "packages/workflow:test-dist"],
    ],
    [
      "a source: everything of its package and of those that use it",
      "packages/workflow/src/index.ts",
      [
        "tools:check",
        "tools:test",
        "tools:pack",
        ...["workflow", "raftoral", "e2e"].map((name) => `packages/${name}:test`),
        ...["workflow", "raftoral"].flatMap((name) => [`packages/${name}:build`, `packages/${name}:test-dist`]),
        ...["build", "test", "test-dist"].map((target) => `packages/agents:${target}`),
        "packages/check:test",
        "packages/check:test-dist",
        ...["sample", "test"].map((target) => `packages/simulation:${target}`),
      ],
    ],
    [
      "the quickstart: the processes that run it",
      "tools/quickstart/main.ts",
      ["tools:check", "tools:test", "packages/e2e:test"],
    ],
  ])("%s", async (_name, file, expected) => {
    if (file !== undefined) await appendFile(join(workspace, file), "// changed\n");
    expect([...(await tasksRun())].sort()).toEqual([...expected].sort());
  });

  test("the lockfile: everything", async () => {
    await appendFile(join(workspace, "package-lock.json"), "\n");
    expect((await tasksRun()).size).toBeGreaterThan(3 * published.length);
  });
});
