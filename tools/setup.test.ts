// @module-tag slow

import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Outcome, root, run } from "./process.ts";

// The set-up of a project of its own, with an npm that only writes down what it was asked and does what `NPM_DOES` says.

const LOCK = JSON.stringify({
  packages: {
    "": { name: "project" },
    "node_modules/node": { version: "1.2.3", integrity: "sha512-node" },
    "node_modules/other-platform": { version: "1.0.0", optional: true },
  },
});
const INSTALL = `
mkdir -p node_modules/node/bin
cp package-lock.json node_modules/.package-lock.json
printf '#!/bin/sh\\necho v1.2.3\\n' > node_modules/node/bin/node
chmod +x node_modules/node/bin/node
`;

let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "raftoral-setup-"));
  await mkdir(join(project, "tools"));
  await mkdir(join(project, "bin"));
  await cp(join(root, "tools/setup.mjs"), join(project, "tools/setup.mjs"));
  await writeFile(join(project, "package-lock.json"), LOCK);
  await npmDoes(INSTALL);
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function npmDoes(script: string): Promise<void> {
  const npm = join(project, "bin/npm");
  await writeFile(npm, `#!/bin/sh\necho "$*" >> npm.log\n${script}`);
  await chmod(npm, 0o755);
}

function setUp(): Promise<Outcome> {
  const PATH = `${join(project, "bin")}${delimiter}${process.env.PATH ?? ""}`;
  return run(process.execPath, ["tools/setup.mjs"], { cwd: project, env: { PATH }, timeoutMs: 10_000 });
}

async function npmRuns(): Promise<number> {
  return (await readFile(join(project, "npm.log"), "utf8")).trim().split("\n").length;
}

test("installs in a clean clone, saying so in one line", async () => {
  const outcome = await setUp();
  expect(outcome.ok, outcome.output).toBe(true);
  expect(outcome.output).toMatch(/^Installing dependencies \(first run.*\) \.\.\. done in \d+ s\n$/);
});

test("says and does nothing when everything is there", async () => {
  await setUp();
  expect(await setUp()).toEqual({ ok: true, output: "" });
  expect(await npmRuns()).toBe(1);
});

test("installs again when the lockfile has changed", async () => {
  await setUp();
  await writeFile(join(project, "package-lock.json"), LOCK.replace("sha512-node", "sha512-other"));
  expect((await setUp()).output).toContain("package-lock.json has changed");
  expect(await npmRuns()).toBe(2);
});

test("shows what npm said when it fails", async () => {
  await npmDoes("echo 'no such registry' >&2; exit 1");
  const outcome = await setUp();
  expect(outcome.ok).toBe(false);
  expect(outcome.output).toContain("no such registry");
});

test("fetches the pinned Node when npm was told to run no scripts", async () => {
  await npmDoes(`${INSTALL}\nmv node_modules/node/bin/node node_modules/node/kept`);
  const fetcher = 'require("node:fs").renameSync("kept", "bin/node");';
  await mkdir(join(project, "node_modules/node"), { recursive: true });
  await writeFile(join(project, "node_modules/node/installArchSpecificPackage.js"), fetcher);
  expect((await setUp()).ok).toBe(true);
  expect(await readFile(join(project, "node_modules/.bin/node"), "utf8")).toContain("echo v1.2.3");
});

test("names the Node that it could not get", async () => {
  await npmDoes(`${INSTALL}\nrm node_modules/node/bin/node`);
  const outcome = await setUp();
  expect(outcome.ok).toBe(false);
  expect(outcome.output).toContain("Node 1.2.3 could not be fetched or does not start on this machine.");
});
