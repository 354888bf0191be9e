// Loads what was built of the package of the working folder, in plain Node and without the sources (dist-sample.ts DS2): every entry by the name that
// users import, every module by its path. Fails with the first that does not load. The programs of `bin` are not loaded: they would run.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { filesIn, type Manifest } from "../workspace.ts";

const folder = process.cwd();
const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
const programs = Object.values(manifest.bin ?? {}).map((file) => file.replace("./", ""));
const entries = Object.keys(manifest.exports ?? {}).filter((entry) => !entry.endsWith(".json"));
const modules = (await filesIn(folder, ["dist/**/*.js"])).filter((file) => !programs.includes(file));
if (entries.length === 0 || modules.length < entries.length) {
  throw new Error(
    `${manifest.name} has ${entries.length} entries and ${modules.length} built modules. Build it first: npm run build.`,
  );
}

for (const entry of entries) {
  const name = `${manifest.name}${entry.slice(1)}`;
  const url = import.meta.resolve(name);
  if (!url.includes("/dist/")) throw new Error(`${name} leads to ${url}, not to what was built.`);
  await load(name, url);
}
for (const module of modules) await load(module, pathToFileURL(join(folder, module)).href);

async function load(what: string, url: string): Promise<void> {
  try {
    await import(url);
  } catch (error) {
    throw new Error(`${what} of the build of ${manifest.name} does not load.`, { cause: error });
  }
}
