// Builds the package of the working folder into its `dist`. nx runs it once for each package (`npm run build`).
//
// `dist` is emptied first: a file whose source is gone must not be published. Tests are left out; `./testing` of raft-core
// is a part of the package and stays.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { installed, run } from "../process.ts";

const folder = process.cwd();
await rm(join(folder, "dist"), { recursive: true, force: true });
const outcome = await run(installed("tsc"), ["-p", "tsconfig.build.json"], { cwd: folder, live: true });
process.exitCode = outcome.ok ? 0 : 1;
