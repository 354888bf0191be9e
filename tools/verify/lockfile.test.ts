// @module-tag slow

import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, run } from "../process.ts";
import { filesIn } from "../workspace.ts";
import { lockfileProblems, withoutLibc } from "./lockfile.ts";

const NPM_MS = 60_000;

describe("lockfileProblems", () => {
  const optional = { optionalDependencies: { "a-linux": "1" } };

  test("finds none in a lockfile with everything", () => {
    const packages = { "": {}, "node_modules/a": optional, "node_modules/a-linux": {} };
    expect(lockfileProblems({ packages })).toEqual([]);
    const nested = { "node_modules/b/node_modules/a": optional, "node_modules/b/node_modules/a-linux": {} };
    expect(lockfileProblems({ packages: nested })).toEqual([]);
  });

  test.each([
    ["a host", { "node_modules/a": { resolved: "https://registry.example/a.tgz" } }, "names a host"],
    ["a libc", { "node_modules/a": { libc: ["glibc"] } }, "has a libc"],
    ["no package for a platform", { "node_modules/a": optional }, "optional a-linux, which is not there"],
    [
      "one for another copy alone",
      { "node_modules/a": optional, "node_modules/b/node_modules/a-linux": {} },
      "optional a-linux, which is not there",
    ],
  ])("finds %s", (_what, packages, problem) => {
    expect(lockfileProblems({ packages })).toEqual([expect.stringContaining(problem)]);
  });
});

test("withoutLibc changes nothing else", () => {
  const text = (libc: object) =>
    `${JSON.stringify({ packages: { a: { os: ["linux"], ...libc, cpu: [] } } }, null, 2)}\n`;
  expect(withoutLibc(text({ libc: ["musl"] }))).toBe(text({}));
});

test("npm install leaves the committed lockfile as it is", { timeout: NPM_MS }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "raftoral-lockfile-"));
  try {
    const files = [".npmrc", "package.json", "package-lock.json"];
    for (const file of [...files, ...(await filesIn(root, ["packages/*/package.json", "benchmarks/package.json"]))]) {
      await cp(join(root, file), join(folder, file), { recursive: true });
    }
    const options = ["--package-lock-only", "--offline", "--loglevel=error", "--no-audit", "--no-fund"];
    // The npm of the machine, not one for the pinned Node: whichever people have.
    const own = join(root, "node_modules", ".bin");
    const path = (process.env.PATH ?? "")
      .split(":")
      .filter((entry) => entry !== own && entry !== dirname(process.execPath));
    const outcome = await run("npm", ["install", ...options], {
      cwd: folder,
      env: { PATH: path.join(":") },
      timeoutMs: NPM_MS,
    });
    expect(outcome.ok, outcome.output).toBe(true);
    const text = (place: string) => readFile(join(place, "package-lock.json"), "utf8");
    expect(withoutLibc(await text(folder))).toBe(await text(root));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
