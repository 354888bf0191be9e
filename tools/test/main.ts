// `npm test`: everything there is to check, in stages, with one count at the end. CI runs exactly this.
//
// `npm test -- FILTER...` runs only the tests whose path contains a filter, from the sources.

import { build } from "../build/build.ts";
import { testPack } from "../pack/pack.ts";
import { runChecks } from "../verify/run-checks.ts";
import { runConformance } from "./conformance.ts";
import { add, type Counts, format, NO_TESTS } from "./counts.ts";
import { runVitest } from "./vitest.ts";

interface Stage {
  readonly title: string;
  readonly run: () => Promise<Counts>;
}

const ONE_PASSED: Counts = { ...NO_TESTS, passed: 1 };
const ONE_FAILED: Counts = { ...NO_TESTS, failed: 1 };

const STAGES: readonly Stage[] = [
  { title: "Checks that only read", run: runChecks },
  { title: "Tests, from the sources", run: () => runVitest() },
  { title: "Conformance data", run: runConformance },
  { title: "Build of the packages", run: async () => ((await build()) ? ONE_PASSED : ONE_FAILED) },
  // The processes of e2e take minutes and were just seen to work; `npm run test:dist` runs them against the builds too.
  {
    title: "Tests, against the builds",
    run: () => runVitest({ dist: true, args: ["packages/", "--exclude=packages/e2e/**"] }),
  },
  { title: "Packed packages in an empty project", run: testPack },
];

const filters = process.argv.slice(2);
const stages: readonly Stage[] =
  filters.length === 0
    ? STAGES
    : [{ title: `Tests of ${filters.join(", ")}`, run: () => runVitest({ args: filters }) }];

let total = NO_TESTS;
for (const stage of stages) {
  const started = performance.now();
  console.log(`\n== ${stage.title}`);
  const counts = await stage.run();
  total = add(total, counts);
  console.log(`   ${format(counts)} in ${Math.round((performance.now() - started) / 1000)} s`);
}
console.log(`\n${format(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
