// `npm run test:quick`: the unit and property tests of the sources, in under 90 seconds on two cores.
//
// Left out is what is slow: a file whose first line is `// @module-tag slow`, and a test with `{ tags: ["slow"] }` (vitest.config.ts). Slow is what starts
// processes, builds, simulates whole clusters, or takes more than about two seconds.

import { format } from "../task/counts.ts";
import { runVitest } from "../task/vitest.ts";
import { slowFiles } from "./slow-files.ts";

const exclude = (await slowFiles()).map((file) => `--exclude=${file}`);
const counts = await runVitest({ args: ["--tags-filter=!slow", ...exclude, ...process.argv.slice(2)] });
console.log(format(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;
