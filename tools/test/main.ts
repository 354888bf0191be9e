// `npm test`: everything there is to check, in stages, with one count at the end. CI runs exactly this.
//
// nx runs the stages and answers from its cache (.nx, which git ignores) where nothing that a stage depends on has changed; nx.json and tools/project.json
// say what that is. A line of the output says so. A clean clone has no cache, so everything runs there.
//
// `npm test -- FILTER...` runs only the tests whose path contains a filter, from the sources, without the cache.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "../build/build.ts";
import { root } from "../process.ts";
import { add, type Counts, format, NO_TESTS } from "../task/counts.ts";
import { runVitest } from "../task/vitest.ts";
import { runConformance } from "./conformance.ts";
import { packageTasks, runTasks, toolsTask } from "./run-tasks.ts";

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
  // What Node compiled of test programs in folders of earlier runs (vitest.config.ts), and what was built of them, would only grow.
  await rm(join(root, "tmp", "compile-cache"), { recursive: true, force: true });
  await rm(join(root, "tmp", "programs"), { recursive: true, force: true });
  await stage("Checks that only read", () => runTasks(toolsTask("check")));
  await stage("Tests of the tools", () => runTasks(toolsTask("test")));
  await stage("Tests of the cache", () => runTasks(toolsTask("test-cache")));
  await stage("Tests, from the sources", async () => runTasks(await packageTasks("test")));
  await stage("Conformance data", runConformance);
  await stage("Simulation", async () => runTasks(await packageTasks("sample")));
  const built = await stage("Build of the packages", async () => ({
    ...NO_TESTS,
    [(await build()) ? "passed" : "failed"]: 1,
  }));
  if (built.failed > 0) return;
  // A sample (tools/task/dist-sample.ts): the sources were just seen to work. `npm run test:dist` runs all tests against the builds.
  await stage("Contracts, against the builds", async () => runTasks(await packageTasks("test-dist")));
  await stage("Packed packages in an empty project", () => runTasks(toolsTask("pack")));
}

const filters = process.argv.slice(2);
if (filters.length === 0) await everything();
else await stage(`Tests of ${filters.join(", ")}`, () => runVitest({ args: filters }));

console.log(`\n${format(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
