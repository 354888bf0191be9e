/**
 * Runs a workflow again and again, with other faults at other places each time, and compares how it ends.
 *
 * Role: draws a plan of disturbances from each seed, runs it on a test cluster of its own, and judges the outcome; a failure is shrunk to as few
 * disturbances as still fail, and told as a story.
 */
import { isDeepStrictEqual } from "node:util";
import { seededRng } from "@raftoral/raft-core";
import { isObjectDefinition, objectRunId, type WorkflowDefinition } from "@raftoral/workflow";
import type { EndedRun } from "../../api/runs.ts";
import type { Run } from "../../api/workflows.ts";
import { TestCluster } from "../cluster/test-cluster.ts";
import type { TestClusterOptions } from "../cluster/test-cluster-options.ts";
import type { StepCall } from "../steps/step-call.ts";
import type { TestSteps } from "../steps/test-steps.ts";
import {
  DISTURBANCE_KINDS,
  type Disturbance,
  type DisturbanceKind,
  drawPlan,
  parsePlan,
  planText,
} from "./disturbance.ts";
import { Disturber } from "./disturber.ts";
import {
  inOrder,
  planSignals,
  type SignalOrder,
  type SimulatedSignal,
  type SimulatedUpdate,
} from "./simulated-signals.ts";

/** How a simulated run ended. */
export interface SimulatedOutcome<Output> {
  readonly seed: number;
  readonly status: EndedRun["status"];
  /** Of a completed run. */
  readonly result: Output | undefined;
  /** Of a failed run. */
  readonly error: unknown;
  /** Whether the plan cancels the run. */
  readonly wasCancelled: boolean;
  /** Every attempt of every step. */
  readonly steps: readonly StepCall[];
  /** Bodies that began. */
  readonly bodies: number;
}

/** Options of a simulation. Defaults in parentheses. */
export interface SimulateOptions<Input, Output>
  extends Pick<TestClusterOptions, "nodes" | "startAt" | "nodeOptions" | "realWaitMs"> {
  readonly input: Input;
  /** How many seeds from 1 on, or which ones (100). */
  readonly seeds?: number | readonly number[];
  /** Workflows that the run needs besides the simulated one. */
  readonly workflows?: readonly WorkflowDefinition[];
  /** Mocks steps; called for each run. */
  readonly mocks?: (steps: TestSteps) => void;
  /** Signals that are sent to each run, and when. One that comes after the run's end is not sent. */
  readonly signals?: readonly SimulatedSignal[];
  /** Updates that are sent to each run, and when, behind the signals. One that comes after the run's end, or that the body refuses, is left out. */
  readonly updates?: readonly SimulatedUpdate[];
  /** The order of the signals and updates: `any` gives each seed one of its own, and the undisturbed run that which stands there ("given"). */
  readonly signalOrder?: SignalOrder;
  /** What else happens from outside while the run goes on, such as a deploy. Awaited calls on the cluster survive every disturbance. */
  readonly during?: (run: Run<Output>, cluster: TestCluster) => Promise<void>;
  /** Judges an outcome by throwing. Without it an outcome must equal the undisturbed one, unless the run was cancelled. */
  readonly check?: (outcome: SimulatedOutcome<Output>) => void | Promise<void>;
  /** Which disturbances to draw from (all of them). */
  readonly disturbances?: readonly DisturbanceKind[];
  /** Disturbs every run in this way instead of drawing: a failure says which plan repeats it. */
  readonly plan?: string;
}

/** What a simulation did. */
export interface SimulationReport {
  readonly seeds: number;
  readonly disturbances: number;
  /** Bodies that began, over all runs. */
  readonly bodies: number;
}

/** A simulated run went wrong. The message has the seed, the story, and the line that repeats it. */
export class SimulationFailure extends Error {
  override readonly name = "SimulationFailure";
  readonly seed: number;
  /** The plan with as few disturbances as still fail. */
  readonly plan: string;
  readonly story: readonly string[];

  constructor(workflowType: string, seed: number, plan: readonly Disturbance[], trial: FailedTrial, drawn: number) {
    const text = planText(plan);
    const reason = trial.failure instanceof Error ? trial.failure.message : String(trial.failure);
    super(
      `Workflow ${workflowType} fails with seed ${seed}: ${reason}\n\n` +
        `What happened, with ${plan.length} of ${drawn} disturbances:\n  ${trial.story.join("\n  ")}\n\n` +
        `To repeat it: simulate(${workflowType}, { ..., seeds: [${seed}], plan: ${JSON.stringify(text)} })`,
      { cause: trial.failure },
    );
    this.seed = seed;
    this.plan = text;
    this.story = trial.story;
  }
}

interface Trial<Output> {
  readonly outcome: SimulatedOutcome<Output> | undefined;
  readonly failure: unknown;
  readonly story: readonly string[];
  readonly calls: number;
  readonly commits: number;
}
type FailedTrial = Pick<Trial<unknown>, "failure" | "story">;

const RUN_ID = "simulated";
const DEFAULT_SEEDS = 100;
const CLUSTER_SEED = 1;
const UNDISTURBED_SEED = 0;

/**
 * Runs `workflow` once undisturbed and once for each seed. Resolves with what was done; rejects with {@link SimulationFailure} for the first seed
 * whose run does not end as it should.
 */
export async function simulate<Input, Output>(
  workflow: WorkflowDefinition<Input, Output>,
  options: SimulateOptions<Input, Output>,
): Promise<SimulationReport> {
  const { seeds = DEFAULT_SEEDS, disturbances = DISTURBANCE_KINDS, plan } = options;
  const undisturbed = await attempt(workflow, options, UNDISTURBED_SEED, [], undefined);
  if (undisturbed.failure !== undefined)
    throw new SimulationFailure(workflow.type, UNDISTURBED_SEED, [], undisturbed, 0);
  const list = typeof seeds === "number" ? Array.from({ length: seeds }, (_, at) => at + 1) : seeds;
  let [count, bodies] = [0, 0];
  for (const seed of list) {
    const rng = seededRng(seed);
    const drawn =
      plan === undefined ? drawPlan((bound) => rng.below(bound), disturbances, undisturbed) : parsePlan(plan);
    count += drawn.length;
    const trial = await attempt(workflow, options, seed, drawn, undisturbed.outcome);
    if (trial.failure !== undefined) {
      const [smallest, failed] = await shrink(drawn, trial, (smaller) =>
        attempt(workflow, options, seed, smaller, undisturbed.outcome),
      );
      throw new SimulationFailure(workflow.type, seed, smallest, failed, drawn.length);
    }
    bodies += trial.outcome?.bodies ?? 0;
  }
  return { seeds: list.length, disturbances: count, bodies };
}

async function attempt<Input, Output>(
  workflow: WorkflowDefinition<Input, Output>,
  options: SimulateOptions<Input, Output>,
  seed: number,
  plan: readonly Disturbance[],
  undisturbed: SimulatedOutcome<Output> | undefined,
): Promise<Trial<Output>> {
  const {
    input,
    workflows = [],
    mocks,
    during,
    check,
    signals = [],
    updates = [],
    signalOrder = "given",
    ...cluster
  } = options;
  const { nodes, startAt, nodeOptions, realWaitMs } = cluster;
  await using test = await TestCluster.start({
    // The same for all, so that ids and randomness are those of the undisturbed run: a seed decides the plan.
    seed: CLUSTER_SEED,
    workflows: [workflow as WorkflowDefinition, ...workflows],
    ...(nodes === undefined ? {} : { nodes }),
    ...(startAt === undefined ? {} : { startAt }),
    ...(nodeOptions === undefined ? {} : { nodeOptions }),
    ...(realWaitMs === undefined ? {} : { realWaitMs }),
  });
  mocks?.(test.steps);
  const runId = isObjectDefinition(workflow) ? objectRunId(workflow.type, RUN_ID) : RUN_ID;
  const disturber = new Disturber(test, runId, plan);
  let outcome: SimulatedOutcome<Output> | undefined;
  let failure: unknown;
  try {
    const order = seed === UNDISTURBED_SEED ? "given" : signalOrder;
    const send = planSignals(test, runId, inOrder([...signals, ...updates], order, seed));
    // An object is not started: it begins with what is sent to it, and no object takes this signal.
    const run = isObjectDefinition(workflow)
      ? await test.workflows.signalWithStart(workflow, input, "begin", undefined, {
          runId,
        })
      : await test.workflows.start(workflow, input, { runId });
    const sending = send();
    sending.catch(() => {});
    const outside = during?.(run, test).catch((error: unknown) => {
      // What is sent to a run that the plan has cancelled may come too late.
      if (!disturber.hasCancelled) throw error;
    });
    const [ended] = await Promise.all([run.wait(), outside, Promise.race([sending, run.wait()])]);
    await disturber.finish();
    outcome = {
      seed,
      status: ended.status,
      result: ended.status === "completed" ? ended.result.value<Output>() : undefined,
      error: ended.status === "failed" ? ended.error : undefined,
      wasCancelled: disturber.hasCancelled,
      steps: test.steps.calls(),
      bodies: test.bodies(runId),
    };
    await test.assertRecordedOnce(runId);
    if (check !== undefined) await check(outcome);
    else if (undisturbed !== undefined && !outcome.wasCancelled) assertSame(outcome, undisturbed);
  } catch (error) {
    failure = error;
  }
  return { outcome, failure, story: [...test.story], ...test.counts(runId) };
}

function assertSame<Output>(outcome: SimulatedOutcome<Output>, undisturbed: SimulatedOutcome<Output>): void {
  const seen = { status: outcome.status, result: outcome.result, error: withoutStack(outcome.error) };
  const wanted = { status: undisturbed.status, result: undisturbed.result, error: withoutStack(undisturbed.error) };
  if (isDeepStrictEqual(seen, wanted)) return;
  throw new Error(`the run ends with ${JSON.stringify(seen)}, and undisturbed with ${JSON.stringify(wanted)}`);
}

/** Stacks name lines of the runtime, which differ from replay to replay. */
function withoutStack(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return error;
  return Object.fromEntries(Object.entries(error).filter(([key]) => key !== "stack" && key !== "cause"));
}

/** Leaves disturbances out, one after the other, as long as the run fails. */
async function shrink<Output>(
  plan: readonly Disturbance[],
  failed: Trial<Output>,
  run: (plan: readonly Disturbance[]) => Promise<Trial<Output>>,
): Promise<readonly [readonly Disturbance[], Trial<Output>]> {
  for (const left of plan) {
    if (plan.length === 1) break;
    const smaller = plan.filter((one) => one !== left);
    const trial = await run(smaller);
    if (trial.failure !== undefined) return shrink(smaller, trial, run);
  }
  return [plan, failed];
}
