// @module-tag slow

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installed, root, run } from "../process.ts";
import { filesIn, workspacePackages } from "../workspace.ts";
import { codeBlocks } from "./code-blocks.ts";

// All programs are bundled at once, with the sources of the packages in files that they share: each loads a few files instead of hundreds of modules.
// A program finds the packages through the repository's node_modules, so it has to be written inside of it. A block keeps its
// line number from the document, so that what the compiler or a stack trace says leads to the document.

const documents = await filesIn(root, ["README.md", "docs/**/*.md", "packages/*/README.md"]);
const written = await Promise.all(
  documents.map(async (document) => ({ document, blocks: codeBlocks(await readFile(join(root, document), "utf8")) })),
);
const checked = written.flatMap(({ document, blocks }) =>
  blocks.filter((block) => block.kind !== "fragment").map((block) => ({ document, ...block })),
);
const programs = checked.filter((block) => block.kind === "test");

describe("code in the documents", () => {
  let folder: string;
  const builtOf = (block: { document: string; file: string }): string =>
    join(folder, "built", relative(folder, fileOf(block)).replace(/ts$/, "js"));
  const fileOf = (block: { document: string; file: string }) =>
    join(folder, block.document.replaceAll(/\W/g, "-"), block.file);

  beforeAll(async () => {
    await mkdir(join(root, "tmp"), { recursive: true });
    folder = await mkdtemp(join(root, "tmp", "documents-"));
    const compilerOptions = { noEmit: true };
    const files = checked.map(fileOf);
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.base.json", compilerOptions, files }),
    );
    for (const block of checked) {
      await mkdir(dirname(fileOf(block)), { recursive: true });
      await writeFile(fileOf(block), `${"\n".repeat(block.line - 1)}${block.code}\n`);
    }
    await build({
      entryPoints: programs.map(fileOf),
      outdir: join(folder, "built"),
      outbase: folder,
      bundle: true,
      splitting: true,
      platform: "node",
      format: "esm",
      target: `node${process.versions.node}`,
      conditions: ["@raftoral/source"],
      external: ["lmdb", "vitest"],
      banner: {
        js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
      },
      sourcemap: "inline",
      sourcesContent: false,
      logLevel: "error",
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.runIf(checked.length > 0)("compiles", { timeout: 120_000 }, async () => {
    const outcome = await run(installed("tsc"), ["-p", folder]);
    expect(outcome.output).toBe("");
  });

  // They mostly wait: for elections, sleeps and timeouts.
  test.concurrent.each(programs)("runs: $document line $line", { timeout: 60_000 }, async (block) => {
    const file = fileOf(block);
    const args = ["--conditions=@raftoral/source", "--enable-source-maps", builtOf(block)];
    const outcome = await run(process.execPath, args, {
      env: { FORCE_COLOR: "0" },
      cwd: dirname(file),
      timeoutMs: 30_000,
    });
    expect(outcome.ok, outcome.output).toBe(true);
    if (block.output !== undefined) expect(outcome.output.trimEnd()).toBe(block.output.trimEnd());
  });
});

const readable = (await workspacePackages()).filter((candidate) => candidate.published);

test.each(readable)("$shortName has a README with a program that runs", ({ shortName }) => {
  const readme = `packages/${shortName}/README.md`;
  expect(existsSync(join(root, readme)), readme).toBe(true);
  expect(programs.some((program) => program.document === readme)).toBe(true);
});
