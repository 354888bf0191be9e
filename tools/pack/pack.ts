// Installs the packed packages into an empty project and uses them there as a stranger would: types, a program, the CLI, bundles, other
// versions of Node.

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installed, root, run } from "../process.ts";
import type { Counts } from "../task/counts.ts";
import { type WorkspacePackage, workspacePackages } from "../workspace.ts";
import { testAlone } from "./alone.ts";
import { testBundles } from "./bundles.ts";
import { testOldNodes } from "./old-nodes.ts";
import { Results } from "./results.ts";
import { pack, problemsOf } from "./tarball.ts";

const CONSUMER = join(import.meta.dirname, "consumer");

/** Tests the packages as they are built; the caller built them. Prints a line per test. */
export async function testPack(): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), "raftoral-pack-"));
  const results = new Results();
  try {
    const packages = (await workspacePackages()).filter((candidate) => candidate.published);
    const tarballs = await packAll(packages, folder, results);
    await testAlone(packages, tarballs, folder, results);
    const project = join(folder, "project");
    await cp(CONSUMER, project, { recursive: true });
    await writeFile(join(project, "package.json"), consumerManifest(tarballs));
    const install = await run("npm", ["install", "--loglevel=error", "--no-audit", "--no-fund", "--prefer-offline"], {
      cwd: project,
    });
    if (results.add("the tarballs install into an empty project", install)) await use(project, packages, results);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return results.counts;
}

/** Packs everything; returns the files by package name. */
async function packAll(
  packages: readonly WorkspacePackage[],
  folder: string,
  results: Results,
): Promise<ReadonlyMap<string, string>> {
  const tarballs = new Map<string, string>();
  for (const source of packages) {
    const tarball = await pack(source, folder);
    const problems = problemsOf(source.manifest, tarball.contents);
    results.add(`${source.manifest.name} has in its tarball what it should`, {
      ok: problems.length === 0,
      output: problems.join("\n"),
    });
    tarballs.set(source.manifest.name, tarball.file);
  }
  return tarballs;
}

function consumerManifest(tarballs: ReadonlyMap<string, string>): string {
  const dependencies = Object.fromEntries([...tarballs].map(([name, file]) => [name, `file:${file}`]));
  // The install scripts of dependencies are left out: native ones bring their binaries in packages of their own.
  return JSON.stringify({ name: "consumer", private: true, type: "module", dependencies });
}

async function use(project: string, packages: readonly WorkspacePackage[], results: Results): Promise<void> {
  const typeRoots = join(root, "node_modules", "@types");
  // With `skipLibCheck: false`: the declarations of the packages, and all that those lead to, compile too.
  const compile = await run(installed("tsc"), ["-p", ".", "--typeRoots", typeRoots], { cwd: project });
  if (!results.add("a strict TypeScript project compiles against their types", compile)) return;
  results.add("its program runs", await run(process.execPath, ["program.js"], { cwd: project, timeoutMs: 60_000 }));
  const cli = join(project, "node_modules", ".bin", "raftoral");
  results.add("the CLI they install starts", await run(cli, ["--help"], { cwd: project, timeoutMs: 60_000 }));
  await testBundles(project, "service.js", results);
  await testOldNodes(project, packages, results);
}
