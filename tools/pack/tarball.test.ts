import { describe, expect, test } from "vitest";
import type { Manifest } from "../workspace.ts";
import { problemsOf } from "./tarball.ts";

const manifest: Manifest = {
  name: "example",
  version: "1.0.0",
  bin: { example: "./dist/cli.js" },
  exports: { ".": { "@raftoral/source": "./src/index.ts", types: "./dist/index.d.ts", default: "./dist/index.js" } },
};
const complete = ["LICENSE", "README.md", "dist/cli.js", "dist/index.d.ts", "dist/index.js", "package.json"];

describe("problemsOf", () => {
  test("finds none in a tarball with all that package.json names", () => {
    expect(problemsOf(manifest, complete)).toEqual([]);
  });

  test.each(complete)("finds that %s is missing", (file) => {
    expect(
      problemsOf(
        manifest,
        complete.filter((other) => other !== file),
      ).join(),
    ).toContain(file);
  });

  test.each(["dist/index.test.js", "src/index.ts"])("finds that %s is too much", (file) => {
    expect(problemsOf(manifest, [...complete, file])).toEqual([`${file} should not be in it`]);
  });
});
