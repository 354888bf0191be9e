// The packed packages on Nodes that are too old for them, and on the oldest that will do.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Outcome, run } from "../process.ts";
import type { WorkspacePackage } from "../workspace.ts";
import type { Results } from "./results.ts";

const TOO_OLD = ["18", "20"];
const OLDEST = "22.12";
const RUN_MS = 60_000;
/** Entries that exist to be read by any Node. */
const FOR_ANY_NODE = new Set(["./package.json", "./node-version"]);

/** Runs what is installed in `project`. The Nodes come from the registry. */
export async function testOldNodes(
  project: string,
  packages: readonly WorkspacePackage[],
  results: Results,
): Promise<void> {
  const nodes = join(project, "nodes");
  const fetched = await fetchNodes(nodes, [...TOO_OLD, OLDEST]);
  if (!results.add(`Node ${[...TOO_OLD, OLDEST].join(", ")} can be fetched`, fetched)) return;
  const cli = join(project, "node_modules", "raftoral", "dist", "cli", "main.js");
  const entries = packages.flatMap(entriesOf);
  for (const version of TOO_OLD) {
    const node = executableOf(nodes, version);
    const refused = await Promise.all(entries.map((entry) => importEntry(node, project, entry)));
    results.add(`every entry says to Node ${version} that it is too old`, first(refused.map(asRefusal)));
    results.add(`so does the CLI`, asRefusal(await run(node, [cli, "--version"], { cwd: project, timeoutMs: RUN_MS })));
  }
  const oldest = executableOf(nodes, OLDEST);
  const loaded = await Promise.all(entries.map((entry) => importEntry(oldest, project, entry)));
  results.add(`every entry loads on Node ${OLDEST}`, first(loaded));
  results.add(
    `the program runs on Node ${OLDEST}`,
    await run(oldest, ["program.js"], { cwd: project, timeoutMs: RUN_MS }),
  );
}

/** The names under which users import a package. */
function entriesOf({ manifest }: WorkspacePackage): readonly string[] {
  return Object.keys(manifest.exports ?? {})
    .filter((entry) => !FOR_ANY_NODE.has(entry))
    .map((entry) => manifest.name + entry.slice(1));
}

function importEntry(node: string, project: string, entry: string): Promise<Outcome> {
  const program = `import(${JSON.stringify(entry)}).catch((error) => { console.error(String(error)); process.exitCode = 1; })`;
  return run(node, ["--input-type=module", "--eval", program], { cwd: project, timeoutMs: RUN_MS });
}

/** Passed if it failed with the one line that says what is needed, and nothing else. */
function asRefusal({ ok, output }: Outcome): Outcome {
  return { ok: !ok && /^(Error: )?Raftoral needs Node [\d.]+ or newer.*\n$/.test(output), output };
}

function first(outcomes: readonly Outcome[]): Outcome {
  return outcomes.find(({ ok }) => !ok) ?? { ok: true, output: "" };
}

/** The registry has each Node for each platform in a package of its own, which needs no install script. */
async function fetchNodes(folder: string, versions: readonly string[]): Promise<Outcome> {
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
  const wanted = versions.map((version) => `${aliasOf(version)}@npm:${platformPackage()}@${version}`);
  const options = ["--loglevel=error", "--no-audit", "--no-fund", "--prefer-offline"];
  return await run("npm", ["install", ...options, ...wanted], { cwd: folder });
}

function platformPackage(): string {
  const { platform, arch } = process;
  const system = platform === "win32" ? "win" : platform;
  return system === "darwin" && arch === "arm64" ? `node-bin-${system}-${arch}` : `node-${system}-${arch}`;
}

function executableOf(folder: string, version: string): string {
  return join(folder, "node_modules", aliasOf(version), "bin", process.platform === "win32" ? "node.exe" : "node");
}

function aliasOf(version: string): string {
  return `node-${version.replaceAll(".", "-")}`;
}
