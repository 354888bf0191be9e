// Compiles small programs against the sources of the packages, each by itself, and tells what the compiler says of each.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installed, root, run } from "../process.ts";

/** Options of the compiler, as in a tsconfig. */
export type CompilerOptions = Readonly<Record<string, unknown>>;

/** What the compiler says of each program, without the names of files: empty where it says nothing. */
export async function compiled(
  programs: Readonly<Record<string, string>>,
  compilerOptions: CompilerOptions = {},
): Promise<Readonly<Record<string, string>>> {
  await mkdir(join(root, "tmp"), { recursive: true });
  const folder = await mkdtemp(join(root, "tmp", "types-"));
  try {
    const names = Object.keys(programs);
    const files = names.map((_, at) => `program-${at}.ts`);
    for (const [at, file] of files.entries()) await writeFile(join(folder, file), programs[names[at] ?? ""] ?? "");
    const config = {
      extends: "../../tsconfig.base.json",
      compilerOptions: { noEmit: true, ...compilerOptions },
      files,
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const { output } = await run(installed("tsc"), ["-p", folder, "--pretty", "false"]);
    return Object.fromEntries(names.map((name, at) => [name, saidOf(files[at] ?? "", output)]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The lines of an output about a file: one begins with its name, and those after it that are indented belong to it. */
function saidOf(file: string, output: string): string {
  const lines: string[] = [];
  let isOfFile = false;
  for (const line of output.split("\n")) {
    if (!line.startsWith(" ")) isOfFile = line.includes(`${file}(`);
    if (isOfFile) lines.push(line.replace(/^.*?\): error /, ""));
  }
  return lines.join("\n");
}
