// A thread that carries out tasks, one at a time, as it is told. With a mutant, the sources it runs are those with that bug.
import { parentPort, workerData } from "node:worker_threads";
import { installMutant } from "../mutants/install.ts";
import { mutantNamed } from "../mutants/mutants.ts";
import type { WorkerSettings } from "./worker-pool.ts";

function serve<Task>(carryOut: (task: Task, tell: (at: string) => void) => Promise<unknown>): void {
  const tell = (at: string): void => parentPort?.postMessage({ at });
  parentPort?.on("message", (task: Task) => {
    carryOut(task, tell).then(
      (result) => parentPort?.postMessage({ result }),
      (error: unknown) => parentPort?.postMessage({ error: error instanceof Error ? error.stack : String(error) }),
    );
  });
}

const { kind, mutant } = workerData as WorkerSettings;
if (mutant !== undefined) installMutant(mutantNamed(mutant));
// What runs is loaded only now, so that the mutant is in it.
if (kind === "clusters") serve((await import("../run-seed.ts")).runSeed);
else if (kind === "cores") serve((await import("../core/core-task.ts")).carryOutCoreTask);
else if (kind === "forged") serve((await import("../forged/forged-task.ts")).carryOutForgedTask);
else serve((await import("../workflows/programs-task.ts")).carryOutProgramsTask);
