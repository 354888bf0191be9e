// `npm run simulate`: see USAGE.
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { hunt } from "../mutants/hunt.ts";
import { installMutant } from "../mutants/install.ts";
import { mutantNamed } from "../mutants/mutants.ts";
import { parseOptions, type SimulateOptions, USAGE } from "./options.ts";
import { simulate } from "./simulate.ts";

const print = (line: string): void => console.log(line);

async function writeTrace({ start, steps, only, mutant, ignore, trace = "-" }: SimulateOptions): Promise<boolean> {
  if (mutant !== undefined) installMutant(mutantNamed(mutant));
  // Only now, so that the mutant is in what is loaded.
  const { runSeed } = await import("../run-seed.ts");
  const out = trace === "-" ? process.stdout : createWriteStream(trace);
  const write = (line: string): void => {
    out.write(`${line}\n`);
  };
  const result = await runSeed({ seed: start, steps, ignore, write, ...(only === undefined ? {} : { only }) });
  write(result.finding === undefined ? "nothing was found" : result.finding.stack);
  if (out !== process.stdout) {
    out.end();
    await finished(out);
    print(`the run of seed ${start}, of ${result.events} events, is in ${trace}`);
  }
  return result.finding === undefined;
}

async function main(): Promise<boolean> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    print(USAGE);
    return true;
  }
  if (options.hunt) return await hunt(options, print);
  if (options.trace !== undefined) return await writeTrace(options);
  return await simulate(options, print);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
