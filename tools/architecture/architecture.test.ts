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

/** Rule 9: where there are no circles, by package. */
const WITHOUT_CIRCLES: Readonly<Record<string, RegExp>> = {
  raftoral: /./,
  workflow: /\/src\/(wire|model|records|nodes|state|commands|machine|author)\//,
};

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

test.each(packages.filter(({ shortName }) => WITHOUT_CIRCLES[shortName] !== undefined))(
  "$shortName has no import circles",
  async ({ shortName, folder }) => {
    const circles = importCircles(await modulesIn(folder));
    expect(circles.filter((circle) => circle.some((path) => WITHOUT_CIRCLES[shortName]?.test(path)))).toEqual([]);
  },
);

test("no reason is kept for a file that is short again", async () => {
  for (const path of Object.keys(LONG_FILES)) {
    expect((await readFile(join(root, path), "utf8")).split("\n").length, path).toBeGreaterThan(400);
  }
});
