// What is in the repository: its packages as their package.json describe them, and files by pattern.

import { glob, readFile } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { root } from "./process.ts";

/** What the tools read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly license?: string;
  readonly description?: string;
  readonly files?: readonly string[];
  readonly engines?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  /** Name of its folder, which is also its short name in nx: `raft-core`. */
  readonly shortName: string;
  /** Absolute path of its folder. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly published: boolean;
}

/** Every package of the workspace, in order of their names. */
export async function workspacePackages(): Promise<readonly WorkspacePackage[]> {
  const found: WorkspacePackage[] = [];
  for (const file of await filesIn(root, ["packages/*/package.json", "benchmarks/package.json"])) {
    const folder = dirname(join(root, file));
    const manifest = JSON.parse(await readFile(join(root, file), "utf8")) as Manifest;
    found.push({ shortName: basename(folder), folder, manifest, published: manifest.private !== true });
  }
  return found.sort((a, b) => (a.shortName < b.shortName ? -1 : 1));
}

/** The files of a folder that match one of the patterns, relative to it, with `/`, in order. */
export async function filesIn(folder: string, patterns: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const file of glob(patterns, { cwd: folder })) found.push(file.split(sep).join("/"));
  return found.sort();
}
