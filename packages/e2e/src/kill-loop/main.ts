// `npm run chaos`: real processes killed with kill -9, cut off, stopped and misled under load, for as long as you like.
import { parseArgs } from "node:util";
import { formatFigures } from "./figures.ts";
import { type KillLoopOptions, killLoop } from "./kill-loop.ts";

const USAGE = `npm run chaos -- [options]

  --minutes N   how long faults are injected (10)
  --seed N      what is injected (the time of day, printed)
  --nodes N     how many nodes, from 3 on (5)
  --keep        keep logs and data folders, also when all is well
`;

const LARGEST_SEED = 2 ** 32 - 1;

function optionsOf(args: readonly string[]): KillLoopOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "10" },
      seed: { type: "string", default: String(Date.now() % LARGEST_SEED) },
      nodes: { type: "string", default: "5" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error("--minutes must be a number above 0");
  const nodes = whole("nodes", values.nodes, 3, 9);
  return { seed: whole("seed", values.seed, 0, LARGEST_SEED), nodes, durationMs: minutes * 60_000, keep: values.keep };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${name} must be a whole number from ${least} to ${most}`);
}

async function run(options: KillLoopOptions): Promise<void> {
  console.log(`${options.nodes} nodes, ${options.durationMs / 60_000} minutes, seed ${options.seed}`);
  const figures = await killLoop(options);
  console.log(formatFigures(figures));
  // Not decided is not passed.
  if (figures.registers.unfinished.length > 0) process.exitCode = 1;
}

try {
  const options = optionsOf(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else await run(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
// Connections of clients to nodes that are gone may linger.
process.exit();
