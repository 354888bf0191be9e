/**
 * The replicated workflow state alone, in memory: what a node does with each committed command, and what a proposer does before. No consensus, no
 * storage, no bodies.
 *
 * Each part is measured in slices, and the median slice counts, so that a collection or another process does not.
 */
import { performance } from "node:perf_hooks";
import {
  type CommandResult,
  decodeCommand,
  encodeCommand,
  type WorkflowCommand,
  WorkflowExecutor,
} from "@raftoral/workflow";
import { rounded } from "./statistics.ts";

const VALUE_BYTES = 100;
const SLICE = 2_000;
const NOTHING = new Uint8Array(0);
const value = new Uint8Array(VALUE_BYTES).fill(1);

class Machine {
  readonly #executor = new WorkflowExecutor();
  #index = 0;

  apply(command: WorkflowCommand): CommandResult {
    this.#index += 1;
    const [result] = this.#executor.apply([{ index: this.#index, term: 1, command }]) as readonly CommandResult[];
    if (result === undefined || !result.ok) throw new Error(`${command.kind} was refused`);
    return result;
  }

  start(runId: string): number {
    const type = { workflowType: "order", version: 1 };
    const result = this.apply({ kind: "WorkflowStart", runId, ...type, input: value, owner: 1, atMs: 1, seed: value });
    return result.ok && result.kind === "Started" ? result.epoch : 0;
  }
}

function machine(): Machine {
  const made = new Machine();
  made.apply({ kind: "NodeRegister", nodeId: 1, incarnation: "p", types: [{ type: "order", version: 1 }], atMs: 1 });
  return made;
}

function checkpoint(runId: string, step: number, epoch: number): WorkflowCommand {
  const path = `charge-the-card#${step}`;
  return {
    kind: "Checkpoint",
    runId,
    path,
    value,
    atMs: 1_700_000_000_000 + step,
    owner: 1,
    epoch,
    recordKind: "step",
  };
}

/** Median microseconds of one call, over slices of `SLICE` calls. */
function median(durationMs: number, call: (at: number) => void): number {
  const slices: number[] = [];
  const end = performance.now() + durationMs;
  for (let at = 0; performance.now() < end; at += SLICE) {
    const begin = performance.now();
    for (let each = at; each < at + SLICE; each++) call(each);
    slices.push(((performance.now() - begin) * 1000) / SLICE);
  }
  slices.sort((a, b) => a - b);
  return rounded(slices[slices.length >> 1] ?? 0, 3);
}

/** The line `state`: microseconds a command. */
export async function* state(_folder: string, durationMs: number): AsyncGenerator<object> {
  const partMs = durationMs / 4;
  const sample = checkpoint("order-17", 3, 12);
  const bytes = encodeCommand(sample);
  const encodeUs = median(partMs, () => encodeCommand(sample));
  const decodeUs = median(partMs, () => decodeCommand(bytes));
  const steps = machine();
  let epoch = 0;
  const applyUs = median(partMs, (at) => {
    // A thousand steps a run, as many runs as there is time for.
    const run = Math.floor(at / 1000);
    if (at % 1000 === 0) epoch = steps.start(`run-${run}`);
    steps.apply(checkpoint(`run-${run}`, at % 1000, epoch));
  });
  const runs = machine();
  const runUs = median(partMs, (at) => {
    const runId = `run-${at}`;
    const own = runs.start(runId);
    for (let step = 0; step < 3; step++) runs.apply(checkpoint(runId, step, own));
    const outcome = { status: "completed", result: NOTHING } as const;
    runs.apply({ kind: "WorkflowEnd", runId, outcome, atMs: 1, owner: 1, epoch: own });
    if (at % 1000 === 999)
      runs.apply({ kind: "Prune", keepAtMost: 0, atMs: 1, uptimeFromMs: 0, uptimeMs: 0, retentionMs: 1, rules: [] });
  });
  yield {
    bench: "state",
    valueBytes: VALUE_BYTES,
    encodeUs,
    decodeUs,
    applyCheckpointUs: applyUs,
    runOfThreeStepsUs: runUs,
  };
}
