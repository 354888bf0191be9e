// `npm run fix`: repairs what can be repaired without thinking: regenerates protobuf code, formats, applies safe lint fixes, takes out of the
// lockfile what one npm writes and another does not, writes docs/options.md, docs/commands.md and the list of decisions.

import { glob, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { COMMANDS_PAGE, commandsPage } from "./docs/commands-page.ts";
import { documents, INDEX, withDecisions } from "./docs/doc-index.ts";
import { OPTIONS_PAGE, optionsPage } from "./docs/options-page.ts";
import { installed, root, run } from "./process.ts";
import { withoutLibc } from "./verify/lockfile.ts";

async function step(name: string, program: string, args: readonly string[]): Promise<void> {
  const outcome = await run(installed(program), args, { live: true });
  console.log(`${outcome.ok ? "ok    " : "FAILED"} ${name}`);
  if (!outcome.ok) process.exitCode = 1;
}

for await (const folder of glob("packages/*/src/**/gen", { cwd: root })) {
  await rm(join(root, folder), { recursive: true });
}
await step("generate (buf)", "buf", ["generate"]);
await step("format and lint (biome)", "biome", ["check", "--write"]);

const lockfile = join(root, "package-lock.json");
const text = await readFile(lockfile, "utf8");
if (withoutLibc(text) !== text) await writeFile(lockfile, withoutLibc(text));
console.log("ok     lockfile without libc");

await writeFile(OPTIONS_PAGE, await optionsPage());
console.log("ok     docs/options.md");
await writeFile(COMMANDS_PAGE, commandsPage());
console.log("ok     docs/commands.md");
await writeFile(INDEX, withDecisions(await readFile(INDEX, "utf8"), (await documents()).decisions));
console.log("ok     docs/README.md");
