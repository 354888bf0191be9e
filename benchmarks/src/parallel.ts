/**
 * A run that asks for many steps at once: beginning and recording them, and replaying them on another owner. One runtime in one process, over a log that
 * commits each turn of the event loop, so that the runtime itself is measured: no consensus, no disk.
 *
 * `longestTurnMs` is the longest time for which the event loop did nothing else. `usPerStep` must not grow with the number of steps.
 */
import { performance } from "node:perf_hooks";
import {
  type CommandResult,
  encodeValue,
  RaftWorkflowEngine,
  RunRequests,
  type WorkflowCommand,
  type WorkflowDefinition,
  WorkflowExecutor,
  WorkflowRuntime,
  workflow,
} from "@raftoral/workflow";
import { rounded } from "./statistics.ts";

const STEPS = [5_000, 50_000];
const TIMEOUT_MS = 120_000;
const RUN_ID = "parallel";

const wide = workflow("wide", { version: 1 }, async (ctx, steps: number) => {
  await Promise.all(Array.from({ length: steps }, (_, at) => ctx.step("s", () => at)));
  await ctx.step("all", () => 0);
  await ctx.waitFor("end");
});

/** A log that has committed whatever was proposed by the next turn of the event loop. */
class TurnLog {
  readonly executor = new WorkflowExecutor();
  readonly engine = new RaftWorkflowEngine({ nodeId: 1, executor: this.executor, cluster: this });
  #proposed: { readonly command: WorkflowCommand; readonly resolve: (result: CommandResult) => void }[] = [];
  #index = 0;

  propose(command: WorkflowCommand): Promise<CommandResult> {
    const { promise, resolve } = Promise.withResolvers<CommandResult>();
    if (this.#proposed.push({ command, resolve }) === 1) setImmediate(() => void this.#commit());
    return promise;
  }

  async readIndex(): Promise<number> {
    return this.#index;
  }

  async #commit(): Promise<void> {
    const batch = this.#proposed;
    this.#proposed = [];
    const entries = batch.map(({ command }) => ({ index: ++this.#index, term: 1, command }));
    const results = await this.executor.apply(entries);
    for (const [at, result] of results.entries()) batch[at]?.resolve(result);
  }
}

/** The longest turn of the event loop until it is stopped. */
function watchTurns(): () => number {
  let [longestMs, lastMs, stopped] = [0, performance.now(), false];
  const look = (): void => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!stopped) setImmediate(look);
  };
  setImmediate(look);
  return () => {
    stopped = true;
    return longestMs;
  };
}

async function measured(run: () => Promise<void>, steps: number): Promise<object> {
  const longestTurnMs = watchTurns();
  const startedMs = performance.now();
  await run();
  const tookMs = performance.now() - startedMs;
  return {
    tookMs: rounded(tookMs),
    usPerStep: rounded((tookMs * 1000) / steps),
    longestTurnMs: rounded(longestTurnMs()),
  };
}

/** One line for each phase and number of steps. */
export async function* parallel(): AsyncGenerator<object> {
  for (const steps of STEPS) {
    const log = new TurnLog();
    const requests = new RunRequests(log.engine);
    const start = (): WorkflowRuntime =>
      WorkflowRuntime.start({ engine: log.engine, registry: [wide as WorkflowDefinition] });
    const recorded = (path: string): Promise<void> =>
      new Promise((resolve) => {
        const stop = log.engine.subscribe({
          onNotice: () => {},
          onEvents: (events) => {
            if (!events.some((event) => event.type === "record-committed" && event.path === path)) return;
            stop();
            resolve();
          },
        });
      });
    const first = start();
    await first.registered;
    yield {
      bench: "parallel",
      phase: "first run",
      steps,
      ...(await measured(async () => {
        const all = recorded("all#0");
        const input = encodeValue(steps, "input", 100);
        const seed = crypto.getRandomValues(new Uint8Array(16));
        await requests.start({ runId: RUN_ID, workflowType: "wide", input, seed }, { timeoutMs: TIMEOUT_MS });
        await all;
      }, steps)),
    };
    first.stop();
    let second: WorkflowRuntime | undefined;
    yield {
      bench: "parallel",
      phase: "replay",
      steps,
      ...(await measured(async () => {
        second = start();
        const signal = { runId: RUN_ID, name: "end", payload: new Uint8Array(0), signalId: "1" };
        await requests.signal(signal, { timeoutMs: TIMEOUT_MS });
        await requests.wait(RUN_ID, { timeoutMs: TIMEOUT_MS });
      }, steps)),
    };
    second?.stop();
    requests.close();
  }
}
