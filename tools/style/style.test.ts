import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../process.ts";
import { filesIn, workspacePackages } from "../workspace.ts";
import { styleProblems } from "./code-style.ts";
import { exportedOf } from "./docstrings.ts";
import { errorFamily, errorTexts, shown, textProblem } from "./error-texts.ts";
import { readSource, type Source } from "./source.ts";
import { riddlesIn } from "./words.ts";

// The rules of style, on everything in the repository that people write.

/** Their words are those that the others avoid. */
const ABOUT_WORDS = /^tools\/style\/words(\.test)?\.ts$/;

const sources = await Promise.all(
  (await filesIn(root, ["packages/*/{src,bench}/**/*.ts", "benchmarks/src/**/*.ts", "tools/**/*.ts"]))
    .filter((path) => !/\/gen\/|node_modules/.test(path))
    .map(async (path) => readSource(path, await readFile(join(root, path), "utf8"))),
);
const family = errorFamily(sources);
const folders = [...new Set(sources.map(folderOf))];
const published = (await workspacePackages())
  .filter((each) => each.published)
  .map(({ shortName }) => `packages/${shortName}`);
const documents = await filesIn(root, [
  "*.md",
  "docs/**/*.md",
  "{packages/*,benchmarks}/*.md",
  "proto/**/*.proto",
  "tools/*.mjs",
]);

/** `packages/raft-core`, `benchmarks` or `tools`. */
function folderOf({ path }: Source): string {
  return path
    .split("/")
    .slice(0, path.startsWith("packages/") ? 2 : 1)
    .join("/");
}

function isTest({ path }: Source): boolean {
  return path.endsWith(".test.ts");
}

/** Sources of a folder, tests apart. */
function sourcesOf(folder: string): readonly Source[] {
  return sources.filter((source) => folderOf(source) === folder && !isTest(source));
}

describe.each(folders)("%s", (folder) => {
  test("has a docstring for every class and function that is exported and, if it is published, for every type", () => {
    const missing = sourcesOf(folder).flatMap((source) =>
      exportedOf(source)
        .filter(({ isDocumented, isType }) => !isDocumented && (!isType || published.includes(folder)))
        .map(({ name, line }) => `${source.path}:${line}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test("keeps the rules of names, length and privacy", () => {
    expect(sources.filter((source) => folderOf(source) === folder).flatMap(styleProblems)).toEqual([]);
  });

  test("has no riddles in its words", () => {
    const own = sources.filter((source) => folderOf(source) === folder && !ABOUT_WORDS.test(source.path));
    expect(own.flatMap(({ path, text }) => riddles(path, text))).toEqual([]);
  });
});

test.each(published)("the error texts of %s say what happened and what to do", (folder) => {
  const texts = errorTexts(
    sourcesOf(folder).filter(({ path }) => !path.includes("/testing/")),
    family,
  );
  const problems = texts.flatMap(({ path, line, text }) => {
    const problem = textProblem(text);
    return problem === undefined ? [] : [`${path}:${line}: ${problem}: ${shown(text)}`];
  });
  expect(problems).toEqual([]);
});

test("documents have no riddles in their words", async () => {
  const found = await Promise.all(
    documents.map(async (path) => riddles(path, await readFile(join(root, path), "utf8"))),
  );
  expect(found.flat()).toEqual([]);
});

function riddles(path: string, text: string): readonly string[] {
  return riddlesIn(text).map(({ word, line }) => `${path}:${line}: ${word}`);
}
