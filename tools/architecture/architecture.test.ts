// @module-tag slow

import { readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { expect, test } from "vitest";
import { root } from "../process.ts";
import { filesIn, workspacePackages } from "../workspace.ts";
import { type Module, readModule } from "./module.ts";
import { importCircles, LONG_FILES, MAY_IMPORT, pureModules, violations, type Workspace } from "./rules.ts";

const packages = await workspacePackages();
const workspace: Workspace = {
  shortNames: new Map(packages.map(({ manifest, shortName }) => [manifest.name, shortName])),
  manifests: new Map(packages.map(({ manifest, shortName }) => [shortName, manifest])),
};

/** Rule 9: where the files of a circle may all be, each with the reason. */
const MAY_BE_CIRCLES: readonly { readonly path: RegExp; readonly why: string }[] = [
  {
    path: /^packages\/raft-core\/src\/raft\//,
    why: "the rules of Raft call each other, as those of the paper refer to each other",
  },
  {
    path: /^packages\/check\/src\/(body|values)\//,
    why: "a walk over code meets functions in functions and values in values",
  },
  {
    path: /^packages\/workflow\/src\/runtime\/execution\//,
    why: "a context is of its execution, and that is known to it",
  },
  { path: /^packages\/simulation\/src\//, why: "what is simulated acts on the world that it is a part of" },
];

async function modulesIn(folder: string): Promise<readonly Module[]> {
  const files = await filesIn(folder, ["src/**/*.ts"]);
  return Promise.all(
    files.map(async (file) => {
      const path = relative(root, join(folder, file)).split(sep).join("/");
      return readModule(path, await readFile(join(folder, file), "utf8"));
    }),
  );
}

test.each(packages)("$shortName keeps the rules of the architecture", async ({ shortName, folder }) => {
  expect(Object.keys(MAY_IMPORT)).toContain(shortName);
  const modules = await modulesIn(folder);
  const pure = pureModules(modules);
  expect(modules.flatMap((module) => violations(module, workspace, pure))).toEqual([]);
});

test.each(packages)("$shortName imports every dependency it declares", async ({ folder, manifest }) => {
  const modules = await modulesIn(folder);
  const specifiers = modules.flatMap((module) => module.imports.map((each) => each.specifier));
  const unused = Object.keys(manifest.dependencies ?? {}).filter(
    (name) => !specifiers.some((specifier) => specifier === name || specifier.startsWith(`${name}/`)),
  );
  expect(unused).toEqual([]);
});

test("there are no import circles, types included, but those with a reason, and no reason without one", async () => {
  const circles = (
    await Promise.all(packages.map(async ({ folder }) => importCircles(await modulesIn(folder))))
  ).flat();
  const reasonOf = (circle: readonly string[]) =>
    MAY_BE_CIRCLES.find(({ path }) => circle.every((file) => path.test(file)));
  expect(circles.filter((circle) => reasonOf(circle) === undefined)).toEqual([]);
  expect(new Set(circles.map(reasonOf))).toEqual(new Set(MAY_BE_CIRCLES));
});

test("no reason is kept for a file that is short again", async () => {
  for (const path of Object.keys(LONG_FILES)) {
    expect((await readFile(join(root, path), "utf8")).split("\n").length, path).toBeGreaterThan(400);
  }
});
