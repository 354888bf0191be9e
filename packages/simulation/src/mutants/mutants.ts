/**
 * Known bugs, each as an edit of the sources that brings it back: the proof that the simulator would find it. `npm run simulate -- --hunt` looks for all
 * of them.
 */
import type { SeedKind } from "../command/worker-pool.ts";
import { ELECTION_MUTANTS } from "./election-mutants.ts";
import { ENGINE_MUTANTS } from "./engine-mutants.ts";
import { FORGED_MUTANTS } from "./forged-mutants.ts";
import { MEMBERSHIP_MUTANTS } from "./membership-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { READ_MUTANTS } from "./read-mutants.ts";
import { REPLICATION_MUTANTS } from "./replication-mutants.ts";
import { SCENARIO_MUTANTS } from "./scenario-mutants.ts";

const DRIVER = "raft-core/src/driver";

/** All of them. */
export const MUTANTS: readonly Mutant[] = [
  ...ELECTION_MUTANTS,
  ...REPLICATION_MUTANTS,
  ...MEMBERSHIP_MUTANTS,
  ...READ_MUTANTS,
  ...FORGED_MUTANTS,
  ...ENGINE_MUTANTS,
  ...SCENARIO_MUTANTS,
];

/** Whether runs of a kind are to find a bug. Bare cores have no driver, and no disk that could be wrong. */
export function isSoughtBy(kind: SeedKind, { edits, kinds }: Mutant): boolean {
  if (kinds !== undefined) return kinds.includes(kind);
  if (kind === "clusters") return true;
  return kind === "cores" && edits.every(({ file }) => file.startsWith("raft-core/src/") && !file.startsWith(DRIVER));
}

/** Throws an Error for a name that no mutant has. */
export function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant === undefined)
    throw new Error(`there is no mutant ${name}; there are ${MUTANTS.map((one) => one.name).join(", ")}`);
  return mutant;
}
