/**
 * Threads that run seeds side by side. Each seed runs in one thread from beginning to end, so how many there are changes
 * nothing in what is found.
 */
import { Worker } from "node:worker_threads";
import type { RunOptions, RunResult } from "../run-seed.ts";

/** A run takes well under a second; one that takes this long has stopped in its tracks. */
const HANG_MS = 60_000;

type Answer = { readonly result: RunResult } | { readonly error: string };

export class SeedPool {
  readonly #mutant: string | undefined;
  readonly #idle: Worker[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];
  #started = 0;
  readonly #size: number;

  /** `mutant`: name of the bug that the threads run with. */
  constructor(size: number, mutant?: string) {
    this.#size = size;
    this.#mutant = mutant;
  }

  /** Runs one seed as soon as a thread is free. A run that hangs is a finding too. */
  async run(options: RunOptions): Promise<RunResult> {
    const worker = await this.#take();
    const answer = await ask(worker, options);
    if (answer === "hangs") {
      await worker.terminate();
      this.#give(this.#startWorker());
      return hanging(options);
    }
    this.#give(worker);
    if ("error" in answer) throw new Error(`seed ${options.seed} could not be run: ${answer.error}`);
    return answer.result;
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.map((worker) => worker.terminate()));
  }

  #take(): Promise<Worker> | Worker {
    const worker = this.#idle.pop();
    if (worker !== undefined) return worker;
    if (this.#started < this.#size) {
      this.#started++;
      return this.#startWorker();
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #give(worker: Worker): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(worker);
    else next(worker);
  }

  #startWorker(): Worker {
    return new Worker(new URL("./seed-worker.ts", import.meta.url), {
      workerData: { mutant: this.#mutant },
      execArgv: ["--conditions=@raftoral/source", "--disable-warning=ExperimentalWarning"],
    });
  }
}

function ask(worker: Worker, options: RunOptions): Promise<Answer | "hangs"> {
  return new Promise((resolve, reject) => {
    const over = (): void => {
      clearTimeout(timer);
      worker.off("message", onMessage);
      worker.off("error", onError);
    };
    const onMessage = (answer: Answer): void => {
      over();
      resolve(answer);
    };
    const onError = (error: Error): void => {
      over();
      reject(error);
    };
    const timer = setTimeout(() => {
      over();
      resolve("hangs");
    }, HANG_MS);
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.postMessage(options);
  });
}

function hanging({ seed }: RunOptions): RunResult {
  const message = `the run did not end within ${HANG_MS / 1_000} s of real time`;
  return {
    seed,
    finding: { invariant: "hangs", message, stack: "" },
    hash: "",
    events: 0,
    virtualMs: 0,
    checks: 0,
    faults: new Map(),
    rare: new Map(),
    injected: [],
    calls: 0,
    registers: { linearizable: 0, "not-linearizable": 0, unknown: 0 },
    ending: "finding",
  };
}
