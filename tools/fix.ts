// `npm run fix`: repairs what can be repaired without thinking: regenerates protobuf code, formats, applies safe lint fixes.

import { glob, rm } from "node:fs/promises";
import { join } from "node:path";
import { installed, root, run } from "./process.ts";

async function step(name: string, program: string, args: readonly string[]): Promise<void> {
  const outcome = await run(installed(program), args, { live: true });
  console.log(`${outcome.ok ? "ok    " : "FAILED"} ${name}`);
  if (!outcome.ok) process.exitCode = 1;
}

for await (const folder of glob("packages/*/src/gen", { cwd: root })) {
  await rm(join(root, folder), { recursive: true });
}
await step("generate (buf)", "buf", ["generate"]);
await step("format and lint (biome)", "biome", ["check", "--write"]);
