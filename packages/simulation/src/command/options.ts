/** The command line of `npm run simulate`. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { PROFILES, type Profile, profileNamed } from "./profile.ts";
import type { SeedKind } from "./worker-pool.ts";

export interface SimulateOptions extends Omit<Profile, "programs"> {
  readonly start: number;
  readonly threads: number;
  readonly only: readonly number[] | undefined;
  /** Where the text of the run goes; "-" is standard output. */
  readonly trace: string | undefined;
  readonly mutant: string | undefined;
  /** Invariants that are not held. */
  readonly ignore: readonly string[];
  readonly kind: SeedKind;
  /** Print the programs of the seeds instead of running them. */
  readonly programs: boolean;
  /** Find every mutant and print the table. */
  readonly hunt: boolean;
  readonly help: boolean;
}

const KIND_OF = Object.freeze({ core: "cores", forged: "forged", workflows: "programs" });

export const USAGE = `npm run simulate -- [options]

  --profile NAME   ${Object.keys(PROFILES).join(", ")}; the options below override it
  --core           bare cores, some hundred actions for each seed, in place of whole clusters
  --forged         bare cores and forged messages to them
  --workflows      random workflow programs on the whole engine; seed 0 is a fixed set of them
  --programs       print the programs of these seeds, with --workflows, and run nothing
  --seeds N        how many seeds to run
  --start S        the first seed (1; 0 with --workflows)
  --steps N        events of each seed before the cluster is healed
  --threads N      seeds side by side (all cores)
  --only A,B,...   inject only the faults with these numbers; "none" for none
  --trace [FILE]   write what happens in the first seed as text, to FILE or to standard output
  --mutant NAME    with a known bug brought back
  --ignore A,...   do not hold these invariants: what does a bug that they see lead to?
  --hunt           find every known bug and print how fast
`;

/** Throws an Error that says what is wrong with the arguments. */
export function parseOptions(args: readonly string[]): SimulateOptions {
  // A flag that may have a value or not is beyond parseArgs: without one it means standard output.
  const complete = args.flatMap((arg, at) =>
    arg === "--trace" && (args[at + 1] ?? "--").startsWith("--") ? [arg, "stdout"] : [arg],
  );
  const { values } = parseArgs({
    args: complete,
    options: {
      profile: { type: "string", default: "default" },
      seeds: { type: "string" },
      start: { type: "string" },
      steps: { type: "string" },
      threads: { type: "string" },
      only: { type: "string" },
      trace: { type: "string" },
      mutant: { type: "string" },
      ignore: { type: "string", default: "" },
      core: { type: "boolean", default: false },
      forged: { type: "boolean", default: false },
      workflows: { type: "boolean", default: false },
      programs: { type: "boolean", default: false },
      hunt: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const profile = profileNamed(values.profile);
  const kinds = (["core", "forged", "workflows"] as const).filter((flag) => values[flag]);
  const [flag] = kinds;
  if (kinds.length > 1) throw new Error(`--${kinds.join(" and --")} are kinds of seeds: leave all but one out`);
  const kind: SeedKind = flag === undefined ? "clusters" : KIND_OF[flag];
  if (flag !== undefined && (values.steps ?? values.only) !== undefined)
    throw new Error(`--steps and --only are for whole clusters: leave them out with --${flag}`);
  if (values.programs && kind !== "programs")
    throw new Error("--programs prints workflow programs: give --workflows, or leave it out");
  if (kind === "forged" && values.ignore !== "")
    throw new Error("no invariant is held with --forged: leave --ignore out");
  const { programs, ...rest } = profile;
  const usualSeeds = { clusters: profile.seeds, cores: profile.coreSeeds, forged: profile.forgedSeeds, programs };
  const first = kind === "programs" ? "0" : "1";
  return {
    ...rest,
    kind,
    programs: values.programs,
    seeds: values.seeds === undefined ? usualSeeds[kind] : whole("seeds", values.seeds, 1),
    steps: values.steps === undefined ? profile.steps : whole("steps", values.steps, 1),
    start: whole("start", values.start ?? first, 0),
    threads: values.threads === undefined ? availableParallelism() : whole("threads", values.threads, 1),
    only: values.only === undefined ? undefined : numbers(values.only),
    trace: values.trace === "stdout" ? "-" : values.trace,
    mutant: values.mutant,
    ignore: values.ignore.split(",").filter((name) => name.length > 0),
    hunt: values.hunt,
    help: values.help,
  };
}

function numbers(text: string): readonly number[] {
  return text === "none" ? [] : text.split(",").map((one) => whole("only", one, 0));
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${name} must be a whole number from ${least} on`);
  return value;
}
