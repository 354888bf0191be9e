// Installs each packed package that depends on no other by itself, and imports everything it exports: what runs there needs nothing else.

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../process.ts";
import type { WorkspacePackage } from "../workspace.ts";
import type { Results } from "./results.ts";

/** Packages that must run by themselves, by short name. */
const ALONE = ["raft-core"];

/** `tarballs` by package name; projects are made below `folder`. */
export async function testAlone(
  packages: readonly WorkspacePackage[],
  tarballs: ReadonlyMap<string, string>,
  folder: string,
  results: Results,
): Promise<void> {
  for (const { shortName, manifest } of packages) {
    if (!ALONE.includes(shortName)) continue;
    const project = join(folder, `alone-${shortName}`);
    await mkdir(project);
    const dependencies = { [manifest.name]: `file:${tarballs.get(manifest.name)}` };
    await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
    const install = await run("npm", ["install", "--loglevel=error", "--no-audit", "--no-fund", "--prefer-offline"], {
      cwd: project,
    });
    if (!results.add(`${manifest.name} installs alone`, install)) continue;
    const installed = await installedIn(project);
    results.add(`${manifest.name} brings no other package`, {
      ok: installed.join() === manifest.name,
      output: installed.join("\n"),
    });
    const imports = Object.keys(manifest.exports ?? {})
      .filter((entry) => entry !== "./package.json")
      .map((entry) => `await import(${JSON.stringify(manifest.name + entry.slice(1))});`);
    await writeFile(join(project, "program.js"), imports.join("\n"));
    const program = await run(process.execPath, ["program.js"], { cwd: project, timeoutMs: 60_000 });
    results.add(`everything that ${manifest.name} exports loads there`, program);
  }
}

/** Names of the packages in the project's node_modules, scopes included. */
async function installedIn(project: string): Promise<readonly string[]> {
  const modules = join(project, "node_modules");
  const names: string[] = [];
  for (const name of await readdir(modules)) {
    if (name.startsWith(".")) continue;
    if (!name.startsWith("@")) names.push(name);
    else names.push(...(await readdir(join(modules, name))).map((each) => `${name}/${each}`));
  }
  return names;
}
