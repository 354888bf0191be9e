// Packs one package and checks what a user would get.

import { join } from "node:path";
import { run } from "../process.ts";
import type { Manifest, WorkspacePackage } from "../workspace.ts";

export interface Tarball {
  /** Absolute path of the .tgz file. */
  readonly file: string;
  /** Paths inside it, relative to the package. */
  readonly contents: readonly string[];
}

/** Runs `npm pack` into `folder`. Throws with npm's words when it fails. */
export async function pack(source: WorkspacePackage, folder: string): Promise<Tarball> {
  const outcome = await run("npm", ["pack", "--json", "--loglevel=error", "--pack-destination", folder], {
    cwd: source.folder,
  });
  if (!outcome.ok) throw new Error(`npm pack of ${source.manifest.name} failed:\n${outcome.output}`);
  const described: unknown = JSON.parse(outcome.output);
  // npm 11 prints a list, later versions an object by package name.
  const [packed] = Object.values(described as Record<string, { filename: string; files: { path: string }[] }>);
  if (packed === undefined)
    throw new Error(`npm pack of ${source.manifest.name} described nothing:\n${outcome.output}`);
  return { file: join(folder, packed.filename), contents: packed.files.map((file) => file.path).sort() };
}

/** What is wrong with a tarball, one line each. */
export function problemsOf(manifest: Manifest, contents: readonly string[]): readonly string[] {
  const has = new Set(contents);
  const problems: string[] = [];
  for (const file of ["README.md", "LICENSE", "package.json"]) {
    if (!has.has(file)) problems.push(`${file} is missing`);
  }
  for (const target of [...exportTargets(manifest), ...Object.values(manifest.bin ?? {})]) {
    const file = target.replace(/^\.\//, "");
    if (!has.has(file)) problems.push(`package.json names ${target}, which is not in it`);
  }
  for (const file of contents) {
    if (/\.test\.|^src\/|\.tsbuildinfo$/.test(file)) problems.push(`${file} should not be in it`);
  }
  return problems;
}

/** The files that `exports` leads a user to; the condition for this repository's sources is none of theirs. */
function exportTargets(manifest: Manifest): readonly string[] {
  return Object.values(manifest.exports ?? {}).flatMap((target) =>
    typeof target === "string"
      ? [target]
      : Object.entries(target).flatMap(([condition, file]) => (condition === "@raftoral/source" ? [] : [file])),
  );
}
