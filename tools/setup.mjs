// Installs the dependencies when they are missing or not those of package-lock.json, and finds the pinned Node.
//
// Role: the one part of the workspace that runs before anything is installed, under whichever Node the machine has (18 or
// newer). It must not import anything but Node itself, and must not write anything but node_modules.
//
// 1. What is installed is read from npm's own record (node_modules/.package-lock.json), so an `npm install` by hand counts.
// 2. npm's output is shown only when npm fails; a run that installs says so in one line.
// 3. It returns only when the pinned Node really starts: the `node` package fetches its binary in an install script, which
//    npm can be told to skip.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const modules = join(root, "node_modules");
const windows = process.platform === "win32";

/** The platforms that the registry has the pinned Node for, as `process.platform-process.arch`. */
const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64"];

/** The pinned Node's executable. It exists once {@link setUp} has returned. */
export const pinnedNode = join(modules, "node", "bin", windows ? "node.exe" : "node");

/** A failure that the user can act on; its message is all there is to show. */
class SetUpError extends Error {}

/** Brings node_modules in line with package-lock.json. Throws with a message for the user when it cannot. */
export function setUp() {
  const platform = `${process.platform}-${process.arch}`;
  if (!PLATFORMS.includes(platform)) {
    throw new SetUpError(`The pinned Node has no binary for ${platform}; there is one for ${PLATFORMS.join(", ")}.`);
  }
  const lock = readJson(join(root, "package-lock.json"));
  if (lock === undefined) throw new SetUpError("package-lock.json is missing or is not JSON: restore it from git.");
  if (!isInstalled(lock)) install();
  ensurePinnedNode(lock.packages["node_modules/node"].version);
}

/** Whether every package of the lockfile is there in the locked version. Optional ones of other platforms may be absent. */
function isInstalled(lock) {
  const installed = readJson(join(modules, ".package-lock.json"));
  if (installed === undefined) return false;
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (!path.startsWith("node_modules/")) return true;
    const found = installed.packages[path];
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function install() {
  const reason = existsSync(modules) ? "package-lock.json has changed" : "first run";
  process.stdout.write(`Installing dependencies (${reason}; up to a minute or two) ...`);
  const started = Date.now();
  // An older Node makes npm warn about the engines of packages that the pinned Node runs: errors only.
  // `install --no-save` and not `ci`: both take every version from the lockfile and leave it alone, but `ci` refuses to work
  // where the registry lacks the optional binaries of some platform, and it deletes node_modules while other programs use it.
  const npm = run(
    "npm",
    ["install", "--no-save", "--loglevel=error", "--no-audit", "--no-fund", "--no-progress"],
    root,
  );
  process.stdout.write(npm.ok ? ` done in ${Math.round((Date.now() - started) / 1000)} s\n` : " failed\n");
  if (!npm.ok) {
    throw new SetUpError(
      `${npm.output}\nnpm install failed (npm's words are above). Is the package registry reachable?`,
    );
  }
}

function ensurePinnedNode(version) {
  if (startsAs(version)) return;
  // What the package's install script does, once more: it was skipped (ignore-scripts) or cut off.
  const fetched = run(process.execPath, ["installArchSpecificPackage.js"], join(modules, "node"));
  if (startsAs(version)) return linkPinnedNode();
  throw new SetUpError(`${fetched.output}\nNode ${version} could not be fetched or does not start on this machine.`);
}

/** npm links only what is there when it installs; npx and scripts of packages look in .bin. */
function linkPinnedNode() {
  const link = join(modules, ".bin", "node");
  if (windows || existsSync(link)) return;
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join("..", "node", "bin", "node"), link);
}

function startsAs(version) {
  const node = spawnSync(pinnedNode, ["--version"], { encoding: "utf8" });
  return node.status === 0 && node.stdout.trim() === `v${version}`;
}

/** Runs to the end with the machine's own Node first: npm may replace the one in node_modules. */
function run(command, args, cwd) {
  const own = resolve(modules, ".bin");
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => resolve(folder) !== own);
  const done = spawnSync(command, args, {
    cwd,
    env: { ...process.env, PATH: path.join(delimiter) },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    shell: windows,
  });
  const output = `${done.stdout ?? ""}${done.stderr ?? ""}${done.error === undefined ? "" : done.error.message}`;
  return { ok: done.status === 0, output: output.trim() };
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** {@link setUp}, or the message of what went wrong and exit code 1. */
export function setUpOrExit() {
  try {
    setUp();
  } catch (error) {
    process.stderr.write(`${error instanceof SetUpError ? error.message : error.stack}\n`);
    process.exit(1);
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) setUpOrExit();
