/** How much to run. */

export interface Profile {
  readonly seeds: number;
  /** Seeds of bare cores, with `--core`. */
  readonly coreSeeds: number;
  /** Seeds with forged messages, with `--forged`. */
  readonly forgedSeeds: number;
  /** Programs, with `--workflows`. */
  readonly programs: number;
  /** Events of each seed before the cluster is healed. */
  readonly steps: number;
  /** No further seed is started after this many milliseconds of real time. */
  readonly budgetMs: number;
  /** One seed in this many is run a second time: the trace must be the same. */
  readonly repeatEvery: number;
}

const MINUTE_MS = 60_000;

export const PROFILES: Readonly<Record<string, Profile>> = {
  default: {
    seeds: 200,
    coreSeeds: 20_000,
    forgedSeeds: 10_000,
    programs: 200,
    steps: 20_000,
    budgetMs: Number.POSITIVE_INFINITY,
    repeatEvery: 20,
  },
  /** The fixed set of CI: within two minutes on two cores, with room to spare. */
  ci: {
    seeds: 500,
    coreSeeds: 10_000,
    forgedSeeds: 5_000,
    programs: 80,
    steps: 20_000,
    budgetMs: 4.5 * MINUTE_MS,
    repeatEvery: 50,
  },
  /** For a night outside CI. */
  long: {
    seeds: 50_000,
    coreSeeds: 500_000,
    forgedSeeds: 500_000,
    programs: 50_000,
    steps: 20_000,
    budgetMs: Number.POSITIVE_INFINITY,
    repeatEvery: 200,
  },
};

/** Throws an Error for a name that no profile has. */
export function profileNamed(name: string): Profile {
  const profile = PROFILES[name];
  if (profile === undefined)
    throw new Error(`there is no profile ${name}; there are ${Object.keys(PROFILES).join(", ")}`);
  return profile;
}
