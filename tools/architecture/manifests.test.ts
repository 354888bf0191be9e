import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { workspacePackages } from "../workspace.ts";
import { readModule } from "./module.ts";
import { MAY_IMPORT } from "./rules.ts";

const packages = await workspacePackages();
const published = packages.filter((candidate) => candidate.published);
const shortNames = new Map(packages.map(({ manifest, shortName }) => [manifest.name, shortName]));

test.each(packages)("$shortName depends only on layers below it, in their own version", ({ shortName, manifest }) => {
  for (const [name, version] of Object.entries(manifest.dependencies ?? {})) {
    const target = shortNames.get(name);
    if (target === undefined) continue;
    expect(MAY_IMPORT[shortName]).toContain(target);
    expect(version).toBe(packages.find((candidate) => candidate.shortName === target)?.manifest.version);
  }
});

test("raft-core runs without any other package", () => {
  const manifest = packages.find(({ shortName }) => shortName === "raft-core")?.manifest;
  expect(manifest).toBeDefined();
  expect(Object.keys(manifest ?? {}).filter((field) => /^(peer|optional)?dependencies$/i.test(field))).toEqual([]);
});

describe.each(published)("$manifest.name, published,", ({ folder, manifest }) => {
  test("says what it is, what it runs on and what it contains", () => {
    expect(manifest.type).toBe("module");
    expect(manifest.license).toBe("MIT");
    expect(manifest.description).toBeTruthy();
    expect(manifest.engines).toEqual({ node: ">=22.12" });
    expect(manifest.files).toEqual(["dist", "README.md", "LICENSE"]);
    expect(manifest.scripts).toHaveProperty("build");
    expect(manifest.scripts).toHaveProperty("test");
  });

  test("exports a source, its types and its build under one name, in this order", () => {
    for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
      if (typeof target === "string") {
        expect([entry, target]).toEqual(["./package.json", "./package.json"]);
        continue;
      }
      expect(Object.keys(target)).toEqual(["@raftoral/source", "types", "default"]);
      const source = target["@raftoral/source"] ?? "";
      expect(existsSync(join(folder, source)), `${entry}: ${source}`).toBe(true);
      expect(target.types).toBe(source.replace("./src/", "./dist/").replace(/\.ts$/, ".d.ts"));
      expect(target.default).toBe(source.replace("./src/", "./dist/").replace(/\.ts$/, ".js"));
    }
  });

  test("has entries that refuse an old Node before anything else, unless they are made for it", async () => {
    for (const target of Object.values(manifest.exports ?? {})) {
      const source = typeof target === "string" ? undefined : target["@raftoral/source"];
      if (source === undefined || /node-version|require-node/.test(source)) continue;
      const { imports } = readModule(source, await readFile(join(folder, source), "utf8"));
      expect(imports[0]?.specifier, source).toMatch(/^(@raftoral\/raft-core|\.{1,2})\/require-node(\.ts)?$/);
    }
  });

  test("names commands that are built from a source", () => {
    for (const file of Object.values(manifest.bin ?? {})) {
      const source = file.replace(/^(\.\/)?dist\//, "src/").replace(/\.js$/, ".ts");
      expect(existsSync(join(folder, source)), `${file} is built from ${source}`).toBe(true);
    }
  });
});
