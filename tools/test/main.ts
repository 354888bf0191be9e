// `npm test`: everything there is to check, in stages, with one count at the end. CI runs exactly this.
//
// `npm test -- FILTER...` runs only the tests whose path contains a filter, from the sources.

import { build } from "../build/build.ts";
import { testPack } from "../pack/pack.ts";
import { runChecks } from "../verify/run-checks.ts";
import { runConformance } from "./conformance.ts";
import { add, type Counts, format, NO_TESTS } from "./counts.ts";
import { runSimulation } from "./simulation.ts";
import { runVitest } from "./vitest.ts";

let total = NO_TESTS;

async function stage(title: string, test: () => Promise<Counts>): Promise<Counts> {
  const started = performance.now();
  console.log(`\n== ${title}`);
  const counts = await test();
  console.log(`   ${format(counts)} in ${Math.round((performance.now() - started) / 1000)} s`);
  total = add(total, counts);
  return counts;
}

async function everything(): Promise<void> {
  await stage("Checks that only read", runChecks);
  await stage("Tests, from the sources", () => runVitest());
  await stage("Conformance data", runConformance);
  await stage("Simulation", runSimulation);
  const built = await stage("Build of the packages", async () => ({
    ...NO_TESTS,
    [(await build()) ? "passed" : "failed"]: 1,
  }));
  if (built.failed > 0) return;
  // The processes of e2e take minutes and were just seen to work; `npm run test:dist` runs them against the builds too.
  const exceptEndToEnd = ["packages/", "--exclude=packages/e2e/**"];
  await stage("Tests, against the builds", () => runVitest({ dist: true, args: exceptEndToEnd }));
  await stage("Packed packages in an empty project", testPack);
}

const filters = process.argv.slice(2);
if (filters.length === 0) await everything();
else await stage(`Tests of ${filters.join(", ")}`, () => runVitest({ args: filters }));

console.log(`\n${format(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
