// Tests the package of the working folder: its sources, or with `--dist` its build. nx runs it once for each package (`npm run test`).

import { relative, sep } from "node:path";
import { root } from "../process.ts";
import { endTask } from "./record.ts";
import { runVitest } from "./vitest.ts";

const folder = process.cwd();
const dist = process.argv.includes("--dist");
const counts = await runVitest({ folder, dist });
await endTask({ folder: relative(root, folder).split(sep).join("/"), target: dist ? "test-dist" : "test" }, counts);
