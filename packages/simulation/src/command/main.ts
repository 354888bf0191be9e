// `npm run simulate`: see USAGE.
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { installMutant } from "../mutants/install.ts";
import { mutantNamed } from "../mutants/mutants.ts";
import { parseOptions, type SimulateOptions, USAGE } from "./options.ts";

const print = (line: string): void => console.log(line);

async function writeTrace(options: SimulateOptions): Promise<boolean> {
  const { start, mutant, trace = "-" } = options;
  if (mutant !== undefined) installMutant(mutantNamed(mutant));
  const out = trace === "-" ? process.stdout : createWriteStream(trace);
  const write = (line: string): void => {
    out.write(`${line}\n`);
  };
  const { finding, length } = await traced(options, write);
  write(finding === undefined ? "nothing was found" : finding.stack);
  if (out !== process.stdout) {
    out.end();
    await finished(out);
    print(`the run of seed ${start}, of ${length}, is in ${trace}`);
  }
  return finding === undefined;
}

async function printPrograms({ start, seeds }: SimulateOptions): Promise<boolean> {
  const { programLines } = await import("../workflows/program/program.ts");
  const { programOf } = await import("../workflows/run-programs.ts");
  const { scenarioLines, scenarioOf } = await import("../scenarios/run-scenarios.ts");
  for (let seed = Math.max(start, 1); seed < start + seeds; seed++) {
    print(`seed ${seed}`);
    const scenario = scenarioOf(seed);
    for (const line of scenario === undefined ? programLines(programOf(seed)) : scenarioLines(scenario))
      print(`  ${line}`);
  }
  return true;
}

/** What runs is loaded only here, so that a mutant is in it. */
async function traced({ kind, start: seed, steps, only, ignore }: SimulateOptions, write: (line: string) => void) {
  if (kind === "forged") {
    const { runForged } = await import("../forged/run-forged.ts");
    const { finding, actions } = runForged({ seed, tell: write });
    return { finding, length: `${actions.length} actions` };
  }
  if (kind === "programs") {
    const { runProgramSeed } = await import("../workflows/run-programs.ts");
    const { planText } = await import("../workflows/plans.ts");
    const { runScenarioSeed, scenarioOf } = await import("../scenarios/run-scenarios.ts");
    const scenario = scenarioOf(seed);
    const { found, trials } =
      scenario === undefined
        ? await runProgramSeed(seed, { ignore })
        : await runScenarioSeed(seed, scenario, { ignore });
    for (const { plan, trial } of trials) {
      write(`disturbed by ${planText(plan)}`);
      for (const line of trial.story) write(`  ${line}`);
    }
    const finding = found === undefined ? undefined : { stack: `${found.finding.invariant}: ${found.finding.message}` };
    return { finding, length: `${trials.length} runs` };
  }
  if (kind === "cores") {
    const { runCore } = await import("../core/run-core.ts");
    const { finding, actions } = runCore({ seed, ignore, tell: write });
    return { finding, length: `${actions.length} actions` };
  }
  const { runSeed } = await import("../run-seed.ts");
  const { finding, events } = await runSeed({ seed, steps, ignore, write, ...(only === undefined ? {} : { only }) });
  return { finding, length: `${events} events` };
}

async function main(): Promise<boolean> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    print(USAGE);
    return true;
  }
  if (options.programs) return await printPrograms(options);
  if (options.trace !== undefined && !options.hunt) return await writeTrace(options);
  // These load what runs, which a trace has with the mutant in it.
  if (options.hunt) return await (await import("../mutants/hunt.ts")).hunt(options, print);
  const { simulate } = await import("./simulate.ts");
  const { simulateCores, simulateForged, simulatePrograms } = await import("./simulate-many.ts");
  const run = { clusters: simulate, cores: simulateCores, forged: simulateForged, programs: simulatePrograms }[
    options.kind
  ];
  return await run(options, print);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
