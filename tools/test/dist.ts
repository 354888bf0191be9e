// `npm run test:dist [-- VITEST_ARGUMENT...]`: builds the packages, then runs the tests against the builds.

import { build } from "../build/build.ts";
import { format } from "../task/counts.ts";
import { runVitest } from "../task/vitest.ts";

const built = await build();
const counts = built
  ? await runVitest({ dist: true, args: process.argv.slice(2) })
  : { passed: 0, failed: 1, skipped: 0 };
console.log(format(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;
