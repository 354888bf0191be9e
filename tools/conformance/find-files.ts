// Finds conformance data.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** What a file is checked as; nothing else in a folder is conformance data. */
const EXTENSIONS = [".txt", ".json"];

/** `path` itself if it is a file, or all scripts and vectors below it, in order of names. Throws for a missing one. */
export async function findFiles(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const found: string[] = [];
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) found.push(...(await findFiles(inner)));
    else if (EXTENSIONS.some((extension) => entry.name.endsWith(extension))) found.push(inner);
  }
  return found;
}
