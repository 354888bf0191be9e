// A thread that runs seeds, one at a time, as it is told. With a mutant, the sources it runs are those with that bug.
import { parentPort, workerData } from "node:worker_threads";
import { installMutant } from "../mutants/install.ts";
import { mutantNamed } from "../mutants/mutants.ts";
import type { RunOptions } from "../run-seed.ts";

const { mutant } = workerData as { readonly mutant: string | undefined };
if (mutant !== undefined) installMutant(mutantNamed(mutant));
// Only now, so that the mutant is in what is loaded.
const { runSeed } = await import("../run-seed.ts");

parentPort?.on("message", (options: RunOptions) => {
  runSeed(options).then(
    (result) => parentPort?.postMessage({ result }),
    (error: unknown) => parentPort?.postMessage({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
