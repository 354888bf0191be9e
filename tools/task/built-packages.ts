// Puts the built `dist` of every package in the place of its sources, so that the tests beside the sources test what is
// published.
//
// Imports between packages already lead to `dist` when the condition `@raftoral/source` is absent. What is left are the relative
// imports of a test: `./raft.ts` beside it becomes `dist/raft/raft.js`. Whatever the build leaves out (tests, private
// packages) stays the source it is.

import { existsSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Plugin } from "vitest/config";

/** The built module that stands for a source file; undefined when the build makes none of it. */
export function builtModule(root: string, source: string): string | undefined {
  const [packages, name, src, ...path] = relative(root, source).split(sep);
  if (packages !== "packages" || name === undefined || src !== "src" || !source.endsWith(".ts")) return undefined;
  const module = join(root, packages, name, "dist", ...path).replace(/\.ts$/, ".js");
  return existsSync(module) ? module : undefined;
}

/** A vite plugin for the repository in `root`, whose packages are built. */
export function testBuiltPackages(root: string): Plugin {
  return {
    name: "raftoral-test-built-packages",
    enforce: "pre",
    resolveId(id, importer) {
      if (importer === undefined || !id.startsWith(".")) return undefined;
      return builtModule(root, resolve(dirname(importer), id));
    },
  };
}
