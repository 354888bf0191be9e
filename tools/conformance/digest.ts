// Prints a digest of the conformance data beside the checkout, or `none`. nx asks for it: the data is an input of tests, and outside of the repository.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { DEFAULT_FOLDER } from "./default-folder.ts";
import { findFiles } from "./find-files.ts";

if (existsSync(DEFAULT_FOLDER)) {
  const hash = createHash("sha256");
  for (const file of await findFiles(DEFAULT_FOLDER)) hash.update(file).update(await readFile(file));
  console.log(hash.digest("hex"));
} else {
  console.log("none");
}
