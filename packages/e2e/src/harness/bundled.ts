/**
 * Programs in one file: a process loads it in a third of the time that it takes for the hundreds of modules of the sources.
 *
 * BP1. The file's name follows from its content, so processes that build the same program at the same time do not disturb each other.
 */
import { createHash } from "node:crypto";
import { access, mkdir, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "..", "tmp", "programs");
/** For packages in CommonJS that are part of the file. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

const built = new Map<string, Promise<string>>();

/** Path of a file that runs the program with the workspace's sources, but for what is native. Built once in this process. */
export function bundled(program: string): Promise<string> {
  const known = built.get(program) ?? bundle(program);
  built.set(program, known);
  return known;
}

async function bundle(program: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [program],
    outdir: FOLDER,
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    target: `node${process.versions.node}`,
    conditions: ["@raftoral/source"],
    external: ["lmdb"],
    banner: { js: REQUIRE },
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "error",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`Nothing was built of ${program}. Run esbuild on it to see why.`);
  const path = join(
    FOLDER,
    `${basename(program, ".ts")}-${createHash("sha256").update(file.contents).digest("hex").slice(0, 16)}.mjs`,
  );
  await mkdir(FOLDER, { recursive: true });
  if (await exists(path)) return path;
  const own = `${path}.${process.pid}-${performance.now()}`;
  await writeFile(own, file.contents);
  await rename(own, path);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
