// `npm run test:pack`: builds, packs and tests the packages in an empty project.

import { build } from "../build/build.ts";
import { format } from "../task/counts.ts";
import { testPack } from "./pack.ts";

const counts = (await build()) ? await testPack() : { passed: 0, failed: 1, skipped: 0 };
console.log(format(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;
