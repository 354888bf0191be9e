/**
 * Threads that carry out tasks side by side. Each task runs in one thread from beginning to end, so how many there are changes
 * nothing in what is found.
 */
import { Worker } from "node:worker_threads";

/** A task, or a part of one that says where it is, takes seconds at most; one that takes this long has stopped in its tracks. */
const HANG_MS = 60_000;

/** What a seed runs. */
export type SeedKind = "clusters" | "cores" | "forged" | "programs";

/** What a thread is told when it starts. */
export interface WorkerSettings {
  /** What its tasks are: a seed of a whole cluster, or several seeds of bare cores, with forged messages, or of workflow programs. */
  readonly kind: SeedKind;
  /** Name of the bug that it runs with. */
  readonly mutant: string | undefined;
}

/** What a thread says of a task: where it is, and in the end what came of it. */
export type Answer<Result> = { readonly at: string } | { readonly result: Result } | { readonly error: string };

/** A task that did not end, or a part of it. */
export interface Hang {
  /** What it was told last; undefined for a task that tells nothing. */
  readonly at: string | undefined;
  /** How long nothing was heard, in real milliseconds. */
  readonly ms: number;
}

/** Threads that take the next task when they are done with one. A task that hangs is ended, and counts as `onHang` says. */
export class WorkerPool<Task, Result> {
  readonly #settings: WorkerSettings;
  readonly #onHang: (task: Task, hang: Hang) => Result;
  readonly #idle: Worker[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];
  #started = 0;
  readonly #size: number;

  /** `onHang`: what a task that does not end comes to. A run that hangs is a finding too. */
  constructor(size: number, settings: WorkerSettings, onHang: (task: Task, hang: Hang) => Result) {
    this.#size = size;
    this.#settings = settings;
    this.#onHang = onHang;
  }

  /** Carries out a task as soon as a thread is free. */
  async run(task: Task): Promise<Result> {
    const worker = await this.#take();
    const answer = await ask<Task, Result>(worker, task);
    if ("hang" in answer) {
      await worker.terminate();
      this.#give(this.#startWorker());
      return this.#onHang(task, answer.hang);
    }
    this.#give(worker);
    if ("error" in answer) throw new Error(`${JSON.stringify(task)} could not be carried out: ${answer.error}`);
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
    return new Worker(new URL("./worker.ts", import.meta.url), {
      workerData: this.#settings,
      execArgv: ["--conditions=@raftoral/source", "--disable-warning=ExperimentalWarning"],
    });
  }
}

type End<Result> = { readonly result: Result } | { readonly error: string } | { readonly hang: Hang };

function ask<Task, Result>(worker: Worker, task: Task): Promise<End<Result>> {
  return new Promise((resolve, reject) => {
    let at: string | undefined;
    const over = (): void => {
      clearTimeout(timer);
      worker.off("message", onMessage);
      worker.off("error", onError);
    };
    const onMessage = (answer: Answer<Result>): void => {
      if ("at" in answer) {
        at = answer.at;
        timer.refresh();
        return;
      }
      over();
      resolve(answer);
    };
    const onError = (error: Error): void => {
      over();
      reject(error);
    };
    const timer = setTimeout(() => {
      over();
      resolve({ hang: { at, ms: HANG_MS } });
    }, HANG_MS);
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.postMessage(task);
  });
}
