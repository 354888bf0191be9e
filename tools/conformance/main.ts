// `npm run conformance [-- DIR_OR_FILE ...]`: runs scripts of etcd/raft and wire vectors of raft-rs and of the first contract
// against this implementation. Without arguments it reads the folder beside the checkout, and skips when there is none.

import { existsSync } from "node:fs";
import { checkFile } from "./check-file.ts";
import { DEFAULT_FOLDER, NO_DATA } from "./default-folder.ts";
import { findFiles } from "./find-files.ts";

async function filesToCheck(args: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of args) {
    const found = existsSync(path) ? await findFiles(path) : [];
    if (found.length === 0)
      throw new Error(`${path}: no such file, or a folder without scripts (.txt) or vectors (.json)`);
    files.push(...found);
  }
  return files;
}

async function main(args: readonly string[]): Promise<void> {
  if (args.length === 0 && !existsSync(DEFAULT_FOLDER)) {
    console.log(NO_DATA);
    console.log("0 passed, 0 failed");
    return;
  }
  let passed = 0;
  let failed = 0;
  for (const file of await filesToCheck(args.length > 0 ? args : [DEFAULT_FOLDER])) {
    const { checks, failures, problems } = await checkFile(file);
    const ok = failures === 0;
    if (ok) passed++;
    else failed++;
    console.log(
      ok
        ? `ok    ${file} (${checks})`
        : `FAIL  ${file} (${checks === 0 ? "unreadable" : `${failures} of ${checks} differ`})`,
    );
    for (const line of problems) console.log(line);
  }
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
